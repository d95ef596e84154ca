#include "core/analysis/diagnosis_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/analysis/row_table.h"
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

std::string quoted(const DiagnosisSubject& subject, std::int32_t id) {
  return cat('"', subject.token_text(id), '"');
}

std::string cell_text(const CellAddress& cell) {
  return cat(name_of(cell.side), " of layer ", cell.layer, ", KV head ", cell.kv_head, ", token ",
             cell.token);
}

std::int64_t count(const Diagnosis& diagnosis, StepVerdict verdict) {
  return std::ranges::count(diagnosis.steps, verdict, &DiagnosedStep::verdict);
}

std::string step_text(const Diagnosis& diagnosis, const DiagnosisSubject& subject) {
  const DiagnosedStep& step = diagnosis.explained();
  return cat("step ", diagnosis.step, " (", diagnosis.why_step, "), behind token ", step.position,
             " ", quoted(subject, step.token), ": expected ", quoted(subject, step.score.expected),
             ", got ", quoted(subject, step.score.got), "; KL ", short_text(step.score.score.kl),
             " nat, margin ", short_text(step.score.score.margin), ", p(expected) ",
             short_text(step.score.p_before), " before and ", short_text(step.score.p_after),
             " after, rank ", step.score.rank);
}

std::string place_text(const Diagnosis& diagnosis) {
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
    out += cat("; the strongest is the ", cell_text(diagnosis.cells.front().cell));
  }
  return out;
}

std::string cause_line(const DiagnosedCause& cause) {
  std::string out = cat(cause.title, ": ", cause.evidence);
  if (cause.n_cells > 0) {
    out += cat("; with ", cause.counterfactual, " in ", cause.n_cells, " cells KL ",
               short_text(cause.kl_before), " becomes ", short_text(cause.kl_after),
               cause.top_restored ? ", the expected token is on top"
                                  : ", the expected token is not on top");
  }
  return out;
}

std::vector<std::vector<std::string>> step_rows(const Diagnosis& diagnosis,
                                                const DiagnosisSubject& subject) {
  std::vector<std::vector<std::string>> out{{"step", "read", "expected", "got", "KL", "margin",
                                             "rank", "p before", "p after", "verdict"}};
  for (std::size_t i = 0; i < diagnosis.steps.size(); ++i) {
    const DiagnosedStep& step = diagnosis.steps[i];
    out.push_back({cat(i), quoted(subject, step.token), quoted(subject, step.score.expected),
                   quoted(subject, step.score.got), short_text(step.score.score.kl),
                   short_text(step.score.score.margin), cat(step.score.rank),
                   short_text(step.score.p_before), short_text(step.score.p_after),
                   word_of(step.verdict)});
  }
  return out;
}

std::vector<std::vector<std::string>> cause_rows(const Diagnosis& diagnosis) {
  std::vector<std::vector<std::string>> out{{"cause", "verdict", "predicate", "counterfactual",
                                             "KL before", "KL after", "token", "cells",
                                             "bytes more"}};
  for (const DiagnosedCause& cause : diagnosis.causes) {
    const bool ran = cause.n_cells > 0;
    out.push_back({cause.title, word_of(cause.verdict), cause.evidence,
                   ran ? cause.counterfactual : "not replayed", short_text(cause.kl_before),
                   ran ? short_text(cause.kl_after) : "-",
                   !ran                 ? "-"
                   : cause.top_restored ? "restored"
                                        : "not restored",
                   cat(cause.n_cells), ran ? short_text(cause.extra_bytes) : "-"});
  }
  return out;
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

std::string diagnosis_summary(const Diagnosis& diagnosis, const DiagnosisSubject& subject) {
  switch (diagnosis.outcome) {
    case DiagnosisOutcome::nothing_broke:
      return cat("Nothing broke: ", step_text(diagnosis, subject), ".");
    case DiagnosisOutcome::not_quantization:
      return cat("Not quantization: with the whole cache's own numbers put back, KL is ",
                 short_text(diagnosis.exact_kl), " nat.");
    case DiagnosisOutcome::unexplained:
      return cat("A place, but no confirmed cause: ", place_text(diagnosis), ".");
    case DiagnosisOutcome::explained:
      break;
  }
  return cat("Cause: ", cause_line(diagnosis.causes.front()), ".");
}

std::vector<std::string> diagnosis_lines(const Diagnosis& diagnosis,
                                         const DiagnosisSubject& subject) {
  std::vector<std::string> out{diagnosis_summary(diagnosis, subject)};
  out.push_back("  what: " + step_text(diagnosis, subject));
  out.push_back(
      cat("  of ", diagnosis.steps.size(), " predictions ", count(diagnosis, StepVerdict::diverged),
          " diverged, ", count(diagnosis, StepVerdict::coin_flip), " coin-flips",
          diagnosis.own_text_parts ? cat("; its own text parts at step ", *diagnosis.own_text_parts)
                                   : std::string()));
  if (!diagnosis.cells.empty()) out.push_back("  where: " + place_text(diagnosis));
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
  page.paragraph(cat(step_text(diagnosis, subject), "."));
  page.paragraph(cat(
      "Of ", diagnosis.steps.size(),
      " predictions on the same text: ", count(diagnosis, StepVerdict::diverged), " diverged, ",
      count(diagnosis, StepVerdict::coin_flip), " are coin-flips (margin below ",
      number_text(diagnosis.coin_flip_margin), "), ", count(diagnosis, StepVerdict::downstream),
      " are right on the same text, though the quantized cache's own text had parted before. ",
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
    page.paragraph(cat(place_text(diagnosis), "."));
    add_picture(1);
    add_picture(2);
    std::vector<std::vector<std::string>> rows{
        {"cell", "token", "change of output", "bits", "wanted"}};
    for (std::size_t i = 0; i < std::min(kMaxListed, diagnosis.cells.size()); ++i) {
      const DiagnosedCell& cell = diagnosis.cells[i];
      rows.push_back({cell_text(cell.cell), cat(cell.cell.token), short_text(cell.score),
                      cat(cell.n_bits), cat(cell.wanted)});
    }
    page.table(std::move(rows));
    page.heading("Why");
    page.paragraph(
        "A cause is confirmed where its counterfactual in the suspect cells alone brings the "
        "expected token back and leaves less than half of the KL. The one that costs the fewest "
        "bytes stands first.");
    page.table(cause_rows(diagnosis));
    page.heading(cat("Replays (", diagnosis.n_replays, ")"));
    std::vector<std::vector<std::string>> replays{
        {"stage", "replay", "other cells", "KL", "rank", "repaired"}};
    for (const DiagnosisReplay& replay : diagnosis.replays) {
      replays.push_back({replay.stage, replay.label, cat(replay.n_other), short_text(replay.kl),
                         cat(replay.rank), replay.repaired ? "yes" : "no"});
    }
    page.table(std::move(replays));
  }
  page.heading("The same again");
  std::string commands;
  for (const std::string& command : subject.commands) {
    commands += (commands.empty() ? "" : "\n") + command;
  }
  page.code(commands);
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
