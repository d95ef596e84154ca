#include "core/analysis/diagnosis_charts.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/analysis/chart_rows.h"
#include "core/analysis/row_table.h"
#include "core/base/text.h"

namespace qaq {
namespace {

constexpr double kLeastKl = 1e-6;  // smaller ones are drawn like it

ExperimentTable named(const std::string& name, Table table) {
  return {.name = name, .title = name, .table = std::move(table)};
}

// Steps of the table that have this verdict.
ChartRows rows_of(const Diagnosis& diagnosis, StepVerdict verdict) {
  ChartRows out;
  for (std::size_t i = 0; i < diagnosis.steps.size(); ++i) {
    if (diagnosis.steps[i].verdict == verdict) out.push_back(static_cast<std::int64_t>(i));
  }
  return out;
}

DiagnosisFigure what_figure(const Diagnosis& diagnosis) {
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < diagnosis.steps.size(); ++i) {
    const double kl = std::max(kLeastKl, diagnosis.steps[i].score.score.kl);
    rows.push_back({static_cast<std::int64_t>(i), real_cell(kl)});
  }
  DiagnosisFigure out{.name = "what", .title = "What broke: KL by step", .tables = {}, .chart = {}};
  out.tables.push_back(
      named("steps", table_of({{"step"}, {"kl", ColumnKind::real, "nat"}}, std::move(rows))));
  ChartPanel panel{.title = "Predictions on the quantized prefix, both caches given one text",
                   .x = {.label = "step"},
                   .y = {.label = "KL", .unit = "nat", .scale = ChartScale::log},
                   .lines = {{.kind = ChartLineKind::x,
                              .at = static_cast<double>(diagnosis.step),
                              .label = "explained"}}};
  panel.series.push_back(
      {.name = "", .mark = ChartMark::line, .source = {.table = "steps", .x = "step", .y = "kl"}});
  int style = 0;
  for (const auto& [verdict, name] :
       {std::pair{StepVerdict::same, "same token"}, std::pair{StepVerdict::diverged, "diverged"},
        std::pair{StepVerdict::coin_flip, "coin flip"},
        std::pair{StepVerdict::downstream, "same, own text parted"}}) {
    const ChartRows of = rows_of(diagnosis, verdict);
    ++style;
    if (of.empty()) continue;  // an empty list would be all
    panel.series.push_back({.name = name,
                            .mark = ChartMark::points,
                            .style = style,
                            .open = verdict == StepVerdict::downstream,
                            .source = {.table = "steps", .x = "step", .y = "kl", .rows = of}});
  }
  out.chart = {.columns = 1, .panels = {std::move(panel)}};
  return out;
}

DiagnosisFigure where_figure(const Diagnosis& diagnosis) {
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < diagnosis.replays.size(); ++i) {
    const DiagnosisReplay& replay = diagnosis.replays[i];
    std::string label = cat(i + 1, " ", replay.label);
    std::ranges::replace(label, ',', ';');
    rows.push_back({label, real_cell(replay.kl)});
  }
  DiagnosisFigure out{.name = "where",
                      .title = "Where: KL of the step, replay by replay",
                      .tables = {},
                      .chart = {}};
  ChartPanel panel{.title = "KL with parts of the cache left exact, quantized alone or replaced",
                   .x = {.label = "KL", .unit = "nat"},
                   .y = {.label = "", .scale = ChartScale::category},
                   .lines = {{.kind = ChartLineKind::x,
                              .at = diagnosis.explained().score.score.kl,
                              .label = "the setting"}}};
  // All of them first: the axis is in the order in which its names come.
  ChartRows all, repaired;
  for (std::size_t i = 0; i < diagnosis.replays.size(); ++i) {
    all.push_back(static_cast<std::int64_t>(i));
    if (diagnosis.replays[i].repaired) repaired.push_back(static_cast<std::int64_t>(i));
  }
  for (const auto& [name, of, style] :
       {std::tuple{"replay", &all, 1}, std::tuple{"repaired", &repaired, 2}}) {
    if (of->empty()) continue;
    panel.series.push_back(
        {.name = name,
         .mark = ChartMark::points,
         .style = style,
         .open = style == 1,
         .source = {.table = "replays", .x = "kl", .category = {"replay"}, .rows = *of}});
  }
  out.tables.push_back(named(
      "replays",
      table_of({{"replay", ColumnKind::text}, {"kl", ColumnKind::real, "nat"}}, std::move(rows))));
  out.chart = {.columns = 1, .panels = {std::move(panel)}};
  return out;
}

DiagnosisFigure heads_figure(const Diagnosis& diagnosis) {
  DiagnosisFigure out{.name = "heads",
                      .title = "Where: what each head's quantization changes, to first order",
                      .tables = {},
                      .chart = {}};
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const auto& scores = diagnosis.head_scores[static_cast<std::size_t>(side)];
    std::vector<Column> columns{{"layer"}};
    for (std::int64_t head = 0; head < scores.shape(1); ++head) {
      columns.push_back({cat("head_", head), ColumnKind::real, "1"});
    }
    std::vector<std::vector<Cell>> rows;
    for (std::int64_t layer = 0; layer < scores.shape(0); ++layer) {
      rows.push_back({layer});
      for (std::int64_t head = 0; head < scores.shape(1); ++head) {
        rows.back().push_back(real_cell(scores(layer, head)));
      }
    }
    const std::string name = cat(name_of(side), "s");
    out.tables.push_back(named(name, table_of(std::move(columns), std::move(rows))));
    ChartPanel panel{.title = name,
                     .x = {.label = "KV head"},
                     .y = {.label = "layer"},
                     .z = {.label = "change of its outputs", .scale = ChartScale::linear}};
    panel.series.push_back(
        {.name = "", .mark = ChartMark::heat, .source = {.table = name, .y = "layer"}});
    out.chart.panels.push_back(std::move(panel));
  }
  out.chart.notes = {
      "Norms of what each quantized row changes alone, summed over the head's tokens."};
  return out;
}

}  // namespace

std::vector<DiagnosisFigure> diagnosis_figures(const Diagnosis& diagnosis) {
  std::vector<DiagnosisFigure> out{what_figure(diagnosis)};
  if (diagnosis.cells.empty()) return out;
  out.push_back(where_figure(diagnosis));
  out.push_back(heads_figure(diagnosis));
  return out;
}

}  // namespace qaq
