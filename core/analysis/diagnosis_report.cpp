#include "core/analysis/diagnosis_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/analysis/token_units.h"
#include "core/base/text.h"
#include "core/replay/captured_layers.h"
#include "core/replay/run_mode.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxListed = 12;    // cells and replays that a page names
constexpr std::size_t kMaxPrompt = 4000;  // bytes of it that a page shows

template <class Enum>
std::string word_of(Enum value) {
  return std::string(ChoiceNames<Enum>::names[static_cast<std::size_t>(value)]);
}

std::string counted(std::int64_t n, const std::string& what) {
  return cat(n, " ", what, n == 1 ? "" : "s");
}

std::string percent(double share) { return fixed_text(100 * share, 1); }

std::string token_text(const Diagnosis& diagnosis, const DiagnosisSubject& subject,
                       std::int64_t token) {
  return cat(token, " ",
             quoted_token(subject, diagnosis.prefix_ids[static_cast<std::size_t>(token)]));
}

std::int64_t count(const Diagnosis& diagnosis, StepVerdict verdict) {
  return std::ranges::count(diagnosis.steps, verdict, &DiagnosedStep::verdict);
}

std::string step_text(const Diagnosis& diagnosis, const DiagnosisSubject& subject) {
  const DiagnosedStep& step = diagnosis.explained();
  return cat("step ", diagnosis.step, " (", diagnosis.why_step, "), behind token ", step.position,
             " ", quoted_token(subject, step.token), ": expected ",
             quoted_token(subject, step.score.expected), ", got ",
             quoted_token(subject, step.score.got), "; KL ", kl_text(step.score.score.kl),
             " nat, margin ", fixed_text(step.score.score.margin, 2), ", p(expected) ",
             percent(step.score.p_before), " % before and ", percent(step.score.p_after),
             " % after, rank ", step.score.rank);
}

// The step in a sentence.
std::string step_sentence(const Diagnosis& diagnosis, const DiagnosisSubject& subject) {
  const DiagnosedStep& step = diagnosis.explained();
  const std::string kl = cat(kl_text(step.score.score.kl), " nat");
  if (!step.score.score.same_top) {
    return cat("Step ", diagnosis.step, " expected ", quoted_token(subject, step.score.expected),
               ", got ", quoted_token(subject, step.score.got), " (KL ", kl,
               step.verdict == StepVerdict::coin_flip ? ", a coin-flip)." : ").");
  }
  const std::int64_t flips = count(diagnosis, StepVerdict::coin_flip);
  if (count(diagnosis, StepVerdict::diverged) > 0) {
    return cat("Step ", diagnosis.step, " kept its token ",
               quoted_token(subject, step.score.expected), " (KL ", kl, ").");
  }
  return cat("Of ", diagnosis.steps.size(), " predictions ",
             flips == 0 ? std::string("none changed its token")
                        : cat("only ", counted(flips, "coin-flip"), " changed"),
             "; KL at step ", diagnosis.step, " is ", kl, ".");
}

std::string place_text(const Diagnosis& diagnosis, const DiagnosisSubject& subject) {
  std::vector<std::int32_t> layers = diagnosis.layers;
  std::ranges::sort(layers);
  std::string out = cat(
      diagnosis.cells.size(), " of ", diagnosis.n_cells,
      " cells left exact "
      "repair it (",
      diagnosis.side ? cat(name_of(*diagnosis.side), "s alone") : std::string("keys and values"),
      ", ", layers.size() == 1 ? "layer " : "layers ", layer_list(layers), ")");
  if (diagnosis.n_not_enough > 0) {
    out += cat("; the strongest ", diagnosis.n_not_enough, " of them ",
               diagnosis.n_not_enough == 1 ? "does" : "do", " not");
  }
  if (!diagnosis.cells.empty()) {
    const CellAddress& cell = diagnosis.cells.front().cell;
    out += cat("; the strongest is the ", name_of(cell.side), " of layer ", cell.layer,
               ", KV head ", cell.kv_head, ", token ", token_text(diagnosis, subject, cell.token));
  }
  return out;
}

std::string cause_line(const DiagnosedCause& cause) {
  std::string out = cat(cause.title, ": ", cause.evidence);
  if (cause.n_cells > 0) {
    out += cat("; with ", cause.counterfactual, " in ", cause.n_cells, " cells KL ",
               kl_text(cause.kl_before), " becomes ", kl_text(cause.kl_after),
               cause.top_restored ? ", the expected token is on top"
                                  : ", the expected token is not on top");
  }
  return out;
}

// What a confirmed cause comes to, in a sentence.
std::string cause_sentence(const Diagnosis& diagnosis, const DiagnosisSubject& subject) {
  const DiagnosedCause& cause = diagnosis.causes.front();
  const DiagnosedStep& step = diagnosis.explained();
  std::string out = cat(step.score.score.same_top ? "What makes it: " : "Cause: ", cause.title,
                        ". With ", cause.counterfactual, " in ", cause.n_cells, " of ",
                        diagnosis.n_cells, " cells, KL falls to ", kl_text(cause.kl_after), " nat");
  if (!step.score.score.same_top) {
    out += cat(" and ", quoted_token(subject, step.score.expected), " is on top again");
  }
  out += '.';
  const std::int64_t others =
      std::ranges::count(diagnosis.causes, CauseVerdict::confirmed, &DiagnosedCause::verdict) - 1;
  if (others > 0) {
    out += cat(" ", counted(others, "other cause"), others == 1 ? " is" : " are",
               " confirmed, too, by a change that costs as much or more.");
  }
  return out;
}

std::vector<std::vector<std::string>> step_rows(const Diagnosis& diagnosis,
                                                const DiagnosisSubject& subject) {
  std::vector<std::vector<std::string>> out{{"step", "read", "expected", "got", "KL (nat)",
                                             "margin", "rank", "p before (%)", "p after (%)",
                                             "verdict"}};
  for (std::size_t i = 0; i < diagnosis.steps.size(); ++i) {
    const DiagnosedStep& step = diagnosis.steps[i];
    out.push_back(
        {cat(i), quoted_token(subject, step.token), quoted_token(subject, step.score.expected),
         quoted_token(subject, step.score.got), kl_text(step.score.score.kl),
         fixed_text(step.score.score.margin, 2), cat(step.score.rank), percent(step.score.p_before),
         percent(step.score.p_after), word_of(step.verdict)});
  }
  return out;
}

std::vector<std::vector<std::string>> cause_rows(const Diagnosis& diagnosis) {
  std::vector<std::vector<std::string>> out{{"cause", "verdict", "KL before", "KL after", "token",
                                             "cells", "bytes more", "counterfactual", "predicate"}};
  for (const DiagnosedCause& cause : diagnosis.causes) {
    const bool ran = cause.n_cells > 0;
    out.push_back({cause.title, word_of(cause.verdict), kl_text(cause.kl_before),
                   ran ? kl_text(cause.kl_after) : "-",
                   !ran                 ? "-"
                   : cause.top_restored ? "restored"
                                        : "not restored",
                   cat(cause.n_cells), ran ? cat(std::llround(cause.extra_bytes)) : "-",
                   ran ? cause.counterfactual : "not replayed", cause.evidence});
  }
  return out;
}

// The heads that repair most when they alone are left exact.
std::string heads_text(const Diagnosis& diagnosis) {
  std::string out;
  for (const CacheSide side : blamed_sides(diagnosis)) {
    const auto& kl = diagnosis.head_kl[static_cast<std::size_t>(side)];
    if (kl.empty()) continue;
    const auto least = std::ranges::min_element(kl.span()) - kl.span().begin();
    out += cat(out.empty() ? "Of single heads left exact, " : "; ", "the ", name_of(side),
               "s of layer ", least / kl.shape(1), ", KV head ", least % kl.shape(1),
               " repair most: KL ", kl_text(kl.span()[static_cast<std::size_t>(least)]));
  }
  return out.empty() ? out : out + ".";
}

std::vector<std::string> setting_lines(const QaqParams& params) {
  // What differs from the defaults; all of them are long.
  const auto given = list_parameters(params), usual = list_parameters(QaqParams{});
  std::vector<std::string> out;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i].value == usual[i].value) continue;
    out.push_back(cat(given[i].name, " = ", value_text(given[i].value), " (default ",
                      value_text(usual[i].value), ")"));
  }
  if (out.empty()) out.push_back("all defaults");
  return out;
}

}  // namespace

std::string kl_text(double kl) { return kl < 0.0005 ? "<0.001" : fixed_text(kl, 3); }

std::string quoted_token(const DiagnosisSubject& subject, std::int32_t id) {
  const std::string text = subject.token_text(id);
  const bool spaced = text.starts_with(' ') && text.find_first_not_of(' ') != std::string::npos;
  return cat(spaced ? "\" " : "\"", token_display(text), '"');
}

std::string diagnosis_summary(const Diagnosis& diagnosis, const DiagnosisSubject& subject) {
  switch (diagnosis.outcome) {
    case DiagnosisOutcome::nothing_broke:
      return cat("Nothing broke. ", step_sentence(diagnosis, subject));
    case DiagnosisOutcome::not_quantization:
      return cat("Not quantization: with the whole cache's own numbers put back, KL is still ",
                 kl_text(diagnosis.exact_kl), " nat.");
    case DiagnosisOutcome::unexplained:
      return cat(step_sentence(diagnosis, subject),
                 " No cause is confirmed, but a place is: ", place_text(diagnosis, subject), ".");
    case DiagnosisOutcome::explained:
      break;
  }
  return cat(step_sentence(diagnosis, subject), " ", cause_sentence(diagnosis, subject));
}

std::vector<std::string> diagnosis_lines(const Diagnosis& diagnosis,
                                         const DiagnosisSubject& subject) {
  std::vector<std::string> out{diagnosis_summary(diagnosis, subject)};
  out.push_back("  what: " + step_text(diagnosis, subject));
  out.push_back(
      cat("  of ", diagnosis.steps.size(), " predictions ", count(diagnosis, StepVerdict::diverged),
          " diverged, ", counted(count(diagnosis, StepVerdict::coin_flip), "coin-flip"),
          diagnosis.own_text_parts ? cat("; its own text parts at step ", *diagnosis.own_text_parts)
                                   : std::string()));
  if (!diagnosis.cells.empty()) out.push_back("  where: " + place_text(diagnosis, subject));
  for (const DiagnosedCause& cause : diagnosis.causes) {
    out.push_back(cat("  ", word_of(cause.verdict), ": ", cause_line(cause)));
  }
  out.push_back(cat("  ", diagnosis.n_replays, " replays"));
  return out;
}

Page diagnosis_page(const Diagnosis& diagnosis, const DiagnosisSubject& subject,
                    std::vector<PagePicture> pictures) {
  Page page{cat("Diagnosis: ", subject.model)};
  page.paragraph(diagnosis_summary(diagnosis, subject));
  page.heading("Prompt");
  page.code(subject.prompt.size() <= kMaxPrompt
                ? subject.prompt
                : cat(subject.prompt.substr(0, kMaxPrompt), "\n[",
                      subject.prompt.size() - kMaxPrompt, " bytes more]"));
  page.heading("Settings");
  page.list(setting_lines(diagnosis.params));
  page.paragraph(cat("The prompt's ", diagnosis.n_prefix,
                     " tokens were quantized once; what follows them is exact. Mode ",
                     name_of(RunMode::in_the_model), "."));
  page.heading("What broke");
  std::string step = step_text(diagnosis, subject);
  step[0] = 'S';
  page.paragraph(step + ".");
  const std::int64_t downstream = count(diagnosis, StepVerdict::downstream);
  page.paragraph(cat(
      "Of ", diagnosis.steps.size(), " predictions on the same text, ",
      count(diagnosis, StepVerdict::diverged), " diverged and ",
      counted(count(diagnosis, StepVerdict::coin_flip), "coin-flip"), " changed (margin below ",
      number_text(diagnosis.coin_flip_margin), "). ",
      downstream > 0 ? cat(downstream,
                           " kept their token behind the place where the quantized "
                           "cache's own text parts (downstream). ")
                     : std::string(),
      diagnosis.own_text_parts
          ? cat("Its own greedy text parts at step ", *diagnosis.own_text_parts, ".")
          : std::string("Its own greedy text does not part from this one, or was not asked for.")));
  const auto add_picture = [&](std::size_t i) {
    if (i < pictures.size()) page.picture(std::move(pictures[i]));
  };
  add_picture(0);
  page.table(step_rows(diagnosis, subject));
  if (!diagnosis.cells.empty()) {
    page.heading("Where");
    page.paragraph(cat(place_text(diagnosis, subject), "."));
    add_picture(1);
    add_picture(2);
    if (const std::string heads = heads_text(diagnosis); !heads.empty()) page.paragraph(heads);
    std::vector<std::vector<std::string>> rows{
        {"cache", "layer", "KV head", "token", "text", "change of output", "bits", "wanted"}};
    for (std::size_t i = 0; i < std::min(kMaxListed, diagnosis.cells.size()); ++i) {
      const DiagnosedCell& cell = diagnosis.cells[i];
      const CellAddress& at = cell.cell;
      rows.push_back(
          {name_of(at.side), cat(at.layer), cat(at.kv_head), cat(at.token),
           quoted_token(subject, diagnosis.prefix_ids[static_cast<std::size_t>(at.token)]),
           fixed_text(cell.score, 3), cat(cell.n_bits), cat(cell.wanted)});
    }
    page.paragraph(rows.size() - 1 < diagnosis.cells.size()
                       ? cat("The strongest ", rows.size() - 1, " of these cells:")
                       : std::string("These cells:"));
    page.table(std::move(rows));
    page.heading("Why");
    page.paragraph(
        "A cause is confirmed where its counterfactual in the suspect cells alone brings the "
        "expected token back and leaves less than half of the KL. The one that costs the fewest "
        "bytes stands first.");
    page.table(cause_rows(diagnosis));
  }
  page.heading("The same again");
  std::string commands;
  for (const std::string& command : subject.commands) {
    commands += (commands.empty() ? "" : "\n") + command;
  }
  page.code(commands);
  if (!diagnosis.cells.empty()) {
    page.heading(cat("Replays (", diagnosis.n_replays, ")"));
    std::vector<std::vector<std::string>> replays{
        {"stage", "replay", "other cells", "KL (nat)", "rank", "repaired"}};
    for (const DiagnosisReplay& replay : diagnosis.replays) {
      replays.push_back({replay.stage, replay.label, cat(replay.n_other), kl_text(replay.kl),
                         cat(replay.rank), replay.repaired ? "yes" : "no"});
    }
    page.table(std::move(replays));
  }
  return page;
}

Json diagnosis_json(const Diagnosis& diagnosis, const DiagnosisSubject& subject) {
  Json steps = Json::array(), cells = Json::array(), replays = Json::array(), all = Json::array();
  for (const DiagnosedStep& step : diagnosis.steps) {
    steps.push_back({{"position", step.position},
                     {"token", step.token},
                     {"expected", step.score.expected},
                     {"expected_text", subject.token_text(step.score.expected)},
                     {"got", step.score.got},
                     {"got_text", subject.token_text(step.score.got)},
                     {"kl", step.score.score.kl},
                     {"margin", step.score.score.margin},
                     {"rank", step.score.rank},
                     {"p_before", step.score.p_before},
                     {"p_after", step.score.p_after},
                     {"verdict", word_of(step.verdict)}});
  }
  for (const DiagnosedCell& cell : diagnosis.cells) {
    cells.push_back(diagnosed_cell_json(cell));
  }
  for (const DiagnosisReplay& replay : diagnosis.replays) {
    replays.push_back({{"stage", replay.stage},
                       {"label", replay.label},
                       {"n_other", replay.n_other},
                       {"kl", replay.kl},
                       {"got", replay.got},
                       {"rank", replay.rank},
                       {"top_restored", replay.top_restored},
                       {"repaired", replay.repaired}});
  }
  for (const DiagnosedCause& cause : diagnosis.causes) {
    all.push_back({{"name", cause.name},
                   {"title", cause.title},
                   {"verdict", word_of(cause.verdict)},
                   {"evidence", cause.evidence},
                   {"counterfactual", cause.counterfactual},
                   {"n_cells", cause.n_cells},
                   {"extra_bytes", cause.extra_bytes},
                   {"kl_before", cause.kl_before},
                   {"kl_after", cause.n_cells > 0 ? Json(cause.kl_after) : Json(nullptr)},
                   {"top_restored", cause.top_restored}});
  }
  Json out{{"outcome", word_of(diagnosis.outcome)},
           {"summary", diagnosis_summary(diagnosis, subject)},
           {"prefix", diagnosis.n_prefix},
           {"coin_flip_margin", diagnosis.coin_flip_margin},
           {"step", diagnosis.step},
           {"why_step", diagnosis.why_step},
           {"exact_kl", diagnosis.exact_kl},
           {"own_text_parts", nullptr},
           {"steps", std::move(steps)},
           {"side", nullptr},
           {"layers", diagnosis.layers},
           {"n_cells", diagnosis.n_cells},
           {"cells", std::move(cells)},
           {"causes", std::move(all)},
           {"n_replays", diagnosis.n_replays},
           {"replays", std::move(replays)}};
  Json head_kl = Json::object();
  for (const CacheSide side : blamed_sides(diagnosis)) {
    const auto& kl = diagnosis.head_kl[static_cast<std::size_t>(side)];
    for (std::int64_t layer = 0; layer < kl.shape(0); ++layer) {
      head_kl[name_of(side)].push_back(kl.sub(layer).span());
    }
  }
  if (!head_kl.empty()) out["head_kl"] = std::move(head_kl);
  if (diagnosis.own_text_parts) out["own_text_parts"] = *diagnosis.own_text_parts;
  if (diagnosis.side) out["side"] = name_of(*diagnosis.side);
  return out;
}

}  // namespace qaq
