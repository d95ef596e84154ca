#include "core/analysis/diagnosis_charts.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "core/analysis/chart_rows.h"
#include "core/analysis/head_map.h"
#include "core/analysis/row_table.h"
#include "core/analysis/token_units.h"
#include "core/base/text.h"

namespace qaq {
namespace {

constexpr const char *kChangedSign = "▲", *kFlipSign = "○";
constexpr int kKeptStyle = 0;            // blue
constexpr std::size_t kNameLength = 14;  // bytes of a token in the name of a step

ExperimentTable named(const std::string& name, Table table) {
  return {.name = name, .title = name, .table = std::move(table)};
}

// "were 4": a token and its step, so that no two are the same.
std::string step_name(const DiagnosisSubject& subject, const DiagnosedStep& step, std::size_t i) {
  std::string text = token_display(subject.token_text(step.token));
  if (text.size() > kNameLength) {
    std::size_t end = kNameLength;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end) + "…";
  }
  return cat(text, " ", i);
}

DiagnosisFigure what_figure(const Diagnosis& diagnosis, const DiagnosisSubject& subject) {
  const bool has_flips = std::ranges::any_of(
      diagnosis.steps, [](const DiagnosedStep& s) { return s.verdict == StepVerdict::coin_flip; });
  std::vector<std::vector<Cell>> rows;
  ChartPanel panel{.title = cat("Predictions behind a quantized prefix of ", diagnosis.n_prefix,
                                " tokens, both caches given the same text"),
                   .x = {.label = "token read, and step", .scale = ChartScale::category},
                   .y = {.label = "KL", .unit = "nat"}};
  ChartRows same, diverged, flipped;
  for (std::size_t i = 0; i < diagnosis.steps.size(); ++i) {
    const DiagnosedStep& step = diagnosis.steps[i];
    const std::string name = step_name(subject, step, i);
    const bool is_flip = step.verdict == StepVerdict::coin_flip,
               is_other = step.verdict == StepVerdict::diverged;
    rows.push_back({name, real_cell(step.score.score.kl),
                    std::string(is_other  ? kChangedSign
                                : is_flip ? kFlipSign
                                          : "")});
    panel.x.names.push_back(name);
    (is_other ? diverged : is_flip ? flipped : same).push_back(static_cast<std::int64_t>(i));
  }
  const auto add = [&](const std::string& name, ChartMark mark, int style, const ChartRows& of) {
    if (of.empty()) return;  // an empty list would be all
    panel.series.push_back({.name = name,
                            .mark = mark,
                            .style = style,
                            .source = {.table = "steps",
                                       .y = "kl",
                                       .category = {"step"},
                                       .label = mark == ChartMark::bars ? "sign" : "",
                                       .rows = of}});
  };
  add(cat(kChangedSign, " top token changed"), ChartMark::bars, kNotedStyle, diverged);
  add(has_flips ? cat("same top token, or ", kFlipSign, " coin-flip (margin below ",
                      number_text(diagnosis.coin_flip_margin), ")")
                : std::string("same top token"),
      ChartMark::bars, kPlainStyle, same);
  add(same.empty() ? cat(kFlipSign, " coin-flip") : "", ChartMark::bars, kPlainStyle, flipped);
  if (diagnosis.outcome != DiagnosisOutcome::nothing_broke) {
    add("explained", ChartMark::boxes, 0, {diagnosis.step});
  }
  DiagnosisFigure out{.name = "what", .title = "What broke: KL by step", .tables = {}, .chart = {}};
  out.tables.push_back(named("steps", table_of({{"step", ColumnKind::text},
                                                {"kl", ColumnKind::real, "nat"},
                                                {"sign", ColumnKind::text}},
                                               std::move(rows))));
  const DiagnosedStep& step = diagnosis.explained();
  out.chart = {.columns = 1,
               .panels = {std::move(panel)},
               .notes = {cat("Step ", diagnosis.step, " (", diagnosis.why_step, "): expected ",
                             quoted_token(subject, step.score.expected), ", got ",
                             quoted_token(subject, step.score.got), "; KL ",
                             kl_text(step.score.score.kl), " nat.")}};
  return out;
}

// What the search came to: both caches; of each stage the strongest part alone, and the fewest that
// repair.
std::vector<const DiagnosisReplay*> told_replays(const Diagnosis& diagnosis) {
  std::vector<const DiagnosisReplay*> out;
  const auto add = [&](const DiagnosisReplay* replay) {
    if (replay && std::ranges::none_of(out, [&](const DiagnosisReplay* other) {
          return other->label == replay->label;
        })) {
      out.push_back(replay);
    }
  };
  for (const char* stage : {"side", "layers", "heads", "cells", "token"}) {
    const DiagnosisReplay *first = nullptr, *fewest = nullptr;
    for (const DiagnosisReplay& replay : diagnosis.replays) {
      if (replay.stage != stage) continue;
      if (replay.stage == "side") add(&replay);
      if (!first) first = &replay;
      if (replay.repaired && (!fewest || replay.n_other < fewest->n_other)) fewest = &replay;
    }
    add(first);
    add(fewest);
  }
  return out;
}

DiagnosisFigure where_figure(const Diagnosis& diagnosis, const DiagnosisSubject& subject) {
  const double before = diagnosis.explained().score.score.kl;
  ChartPanel panel{.x = {.label = "KL", .unit = "nat"},
                   .y = {.label = "", .scale = ChartScale::category},
                   .lines = {{.kind = ChartLineKind::x,
                              .at = before,
                              .label = cat("KL of the setting, ", kl_text(before))}}};
  std::vector<std::vector<Cell>> rows;
  ChartRows repaired, others;
  for (const DiagnosisReplay* replay : told_replays(diagnosis)) {
    (replay->repaired ? repaired : others).push_back(std::ssize(rows));
    panel.y.names.push_back(replay->label);
    rows.push_back({replay->label, real_cell(replay->kl),
                    cat(kl_text(replay->kl), " ", quoted_token(subject, replay->got))});
  }
  for (const auto& [name, of, style] : {std::tuple{"repairs", &repaired, kKeptStyle},
                                        std::tuple{"does not repair", &others, kPlainStyle}}) {
    if (of->empty()) continue;
    panel.series.push_back(
        {.name = name,
         .mark = ChartMark::bars,
         .style = style,
         .source = {
             .table = "replays", .x = "kl", .category = {"replay"}, .label = "end", .rows = *of}});
  }
  DiagnosisFigure out{
      .name = "where",
      .title = cat("Where: KL at step ", diagnosis.step, " with one part left exact"),
      .tables = {},
      .chart = {}};
  out.tables.push_back(named("replays", table_of({{"replay", ColumnKind::text},
                                                  {"kl", ColumnKind::real, "nat"},
                                                  {"end", ColumnKind::text}},
                                                 std::move(rows))));
  out.chart = {.columns = 1,
               .panels = {std::move(panel)},
               .notes = {"On the right the KL and the token that is on top then."}};
  return out;
}

// A panel of a map over layers and heads, and its tables: of cells, and the strongest of them.
void add_map(DiagnosisFigure& figure, CacheSide side, const NdArray<float, 2>& numbers,
             std::int64_t strongest, const ChartAxis& colors) {
  const std::int64_t n_heads = numbers.shape(1);
  const std::string name = cat(name_of(side), "s"), marked = cat("strongest_", name);
  const HeadMap map{
      .table = name,
      .n_layers = numbers.shape(0),
      .n_heads = n_heads,
      .colors = colors,
      .at = [&](std::int64_t layer, std::int64_t head) { return double{numbers(layer, head)}; }};
  figure.tables.push_back(named(name, head_map_table(map)));
  figure.tables.push_back(
      named(marked, table_of({{"layer"}, {"head"}}, {{strongest / n_heads, strongest % n_heads}})));
  ChartPanel panel = head_map_panel(map, name);
  panel.series.push_back(head_map_rings(marked, "strongest"));
  figure.chart.panels.push_back(std::move(panel));
}

// From one number to another; nothing where they are the same. Diverging where it begins below 0.
ChartAxis colors_of(const std::string& label, double least, double most) {
  ChartAxis out{.label = label};
  if (least < most) {
    out.least = least;
    out.most = most;
  }
  if (least < 0) {
    out.unit = "nat";
    out.centre = 0;
  }
  return out;
}

DiagnosisFigure heads_figure(const Diagnosis& diagnosis) {
  DiagnosisFigure out{.name = "heads", .title = "", .tables = {}, .chart = {.columns = 1}};
  const double before = diagnosis.explained().score.score.kl;
  // One scale of colours for both caches.
  double reach = 0, most = 0;
  const std::array<NdArray<float, 2>, 2> changes = head_kl_change(diagnosis);
  for (const auto& change : changes) {
    for (const float each : change.span()) reach = std::max(reach, std::abs(double{each}));
  }
  for (const auto& scores : diagnosis.head_scores) {
    for (const float score : scores.span()) most = std::max(most, double{score});
  }
  for (const CacheSide side : blamed_sides(diagnosis)) {
    const auto& change = changes[static_cast<std::size_t>(side)];
    if (change.empty()) continue;
    const auto all = change.span();
    add_map(out, side, change, std::ranges::min_element(all) - all.begin(),
            colors_of("change of KL", -reach, reach));
  }
  if (!out.chart.panels.empty()) {
    out.title = cat("Where: change of KL at step ", diagnosis.step, " with one head left exact");
    out.chart.notes = {
        cat("Blue repairs. With every head quantized KL is ", kl_text(before), " nat.")};
    return out;
  }
  out.title = "Where: what each head's quantization changes, to first order";
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const auto& scores = diagnosis.head_scores[static_cast<std::size_t>(side)];
    const auto all = scores.span();
    add_map(out, side, scores, std::ranges::max_element(all) - all.begin(),
            colors_of("change of its outputs", 0, most));
  }
  out.chart.notes = {
      "Norms of what each quantized row changes alone, summed over the head's tokens. --heads "
      "measures KL instead."};
  return out;
}

}  // namespace

std::vector<DiagnosisFigure> diagnosis_figures(const Diagnosis& diagnosis,
                                               const DiagnosisSubject& subject) {
  std::vector<DiagnosisFigure> out{what_figure(diagnosis, subject)};
  if (diagnosis.cells.empty()) return out;
  out.push_back(where_figure(diagnosis, subject));
  out.push_back(heads_figure(diagnosis));
  return out;
}

}  // namespace qaq
