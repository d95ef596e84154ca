#include <algorithm>
#include <cmath>
#include <set>

#include "core/analysis/chart_rows.h"
#include "core/analysis/method_chart.h"
#include "core/analysis/method_comparison.h"
#include "core/analysis/row_table.h"
#include "core/base/text.h"
#include "core/evaluate/statistics.h"
#include "core/evaluate/summary.h"

namespace qaq {
namespace {

constexpr std::string_view kOwn = "qaq";

Column real(std::string name, std::string unit = "1") {
  return {.name = std::move(name), .kind = ColumnKind::real, .unit = std::move(unit)};
}
Column text(std::string name) { return {.name = std::move(name), .kind = ColumnKind::text}; }

void append(std::vector<Cell>& row, const std::vector<Cell>& more) {
  row.insert(row.end(), more.begin(), more.end());
}

Cell optional_cell(const std::optional<double>& value) {
  return value ? real_cell(*value) : Cell{};
}

// Rows with what the model said of them, all in the rows' order.
class Rows {
 public:
  Rows(std::span<const MethodAtBudget> rows, const MethodScores* scores)
      : rows_(rows), scores_(scores), summaries_(rows.size()) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (setting(i)) summaries_[i] = summarize(scores->items, *setting(i));
    }
  }

  std::size_t size() const { return rows_.size(); }
  const MethodAtBudget& operator[](std::size_t i) const { return rows_[i]; }
  bool has_scores() const { return scores_ != nullptr; }
  std::optional<std::size_t> setting(std::size_t i) const {
    if (!scores_ || scores_->setting_of[i] == MethodScores::kNotRun) return {};
    return scores_->setting_of[i];
  }
  const std::optional<SettingSummary>& summary(std::size_t i) const { return summaries_[i]; }
  std::span<const ItemResult> items() const { return scores_->items; }

  bool has_output_errors() const {
    return std::ranges::all_of(rows_, [](const MethodAtBudget& row) {
      return !row.fit.policy || row.figures.output_error;
    });
  }
  /// The most telling loss that all of them have, as the main table calls it.
  std::string loss_name() const {
    if (scores_) return "kl_mean";
    return has_output_errors() ? "output_error" : "quantization_error";
  }
  std::optional<double> loss(std::size_t i) const {
    if (!rows_[i].fit.policy) return {};
    if (scores_) {
      if (!summaries_[i]) return {};
      return summaries_[i]->divergences.kl_mean;
    }
    const MeteredFigures& figures = rows_[i].figures;
    return has_output_errors() ? figures.output_error : figures.quantization_error;
  }
  /// Of the questions that were asked, where some were: the budget was met on all that were seen.
  double ratio(std::size_t i) const {
    return summaries_[i] ? summaries_[i]->ratio_packed() : rows_[i].figures.ratio;
  }
  bool met(std::size_t i) const {
    return rows_[i].fit.policy && meets(ratio(i), rows_[i].fit.budget);
  }
  /// The row of `method` at the same budget.
  std::optional<std::size_t> beside(std::size_t i, std::string_view method) const {
    for (std::size_t other = 0; other < size(); ++other) {
      if (rows_[other].method == method && rows_[other].fit.budget == rows_[i].fit.budget) {
        return other;
      }
    }
    return {};
  }

 private:
  std::span<const MethodAtBudget> rows_;
  const MethodScores* scores_;
  std::vector<std::optional<SettingSummary>> summaries_;
};

// Answers that were right, minus those with the whole cache, by question.
std::vector<double> changes(std::span<const ItemResult> items, std::size_t setting) {
  std::vector<double> out;
  for (const ItemResult& item : items) {
    const int right = item.settings[setting].choices.best() == item.answer ? 1 : 0;
    out.push_back(right - (item.choices.best() == item.answer ? 1 : 0));
  }
  return out;
}

std::vector<Cell> score_cells(const Rows& rows, std::size_t i) {
  const auto& summary = rows.summary(i);
  if (!summary) return std::vector<Cell>(11);
  const std::size_t setting = rows.setting(i).value();
  const Accuracy& own = summary->accuracy.value();
  const double whole = reference_accuracy(rows.items()).value().accuracy;
  const Interval change = bootstrap_mean_interval(changes(rows.items(), setting));
  Cell p_own;
  if (const auto other = rows.beside(i, kOwn); other && *other != i && rows.setting(*other)) {
    p_own = real_cell(paired_test(rows.items(), setting, rows.setting(*other)).p);
  }
  return {own.n,
          real_cell(own.accuracy),
          real_cell(own.wilson.low),
          real_cell(own.wilson.high),
          real_cell(own.accuracy - whole),
          real_cell(change.low),
          real_cell(change.high),
          real_cell(paired_test(rows.items(), setting, {}).p),
          p_own,
          real_cell(summary->divergences.kl_mean),
          real_cell(summary->divergences.same_top)};
}

std::string met_text(const Rows& rows, std::size_t i) {
  return !rows[i].fit.policy ? "refused" : rows.met(i) ? "yes" : "cannot";
}

Table main_table(const Rows& rows) {
  std::vector<Column> columns{text("method"), real("budget"), text("met"), real("ratio_packed")};
  if (rows.has_scores()) {
    for (Column& each : std::vector<Column>{{.name = "n"},
                                            real("accuracy"),
                                            real("accuracy_low"),
                                            real("accuracy_high"),
                                            real("accuracy_change"),
                                            real("change_low"),
                                            real("change_high"),
                                            real("p_whole"),
                                            real("p_qaq"),
                                            real("kl_mean", "nat"),
                                            real("same_top")}) {
      columns.push_back(std::move(each));
    }
  }
  for (const auto& [name, unit] :
       {std::pair{"attention_error", "1"}, std::pair{"output_error", "1"},
        std::pair{"quantization_error", "1"}, std::pair{"plan_seconds", "s"},
        std::pair{"code_seconds", "s"}}) {
    columns.push_back(real(name, unit));
  }
  std::vector<std::vector<Cell>> cells;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const MethodAtBudget& row = rows[i];
    std::vector<Cell> line{row.method, real_cell(row.fit.budget), met_text(rows, i)};
    if (row.fit.policy) {
      line.push_back(real_cell(rows.ratio(i)));
      if (rows.has_scores()) append(line, score_cells(rows, i));
      line.push_back(rows.summary(i) ? real_cell(rows.summary(i)->attention_error)
                                     : optional_cell(row.figures.attention_error));
      append(line,
             {optional_cell(row.figures.output_error), real_cell(row.figures.quantization_error),
              real_cell(row.seconds.plan), real_cell(row.seconds.code)});
    }
    line.resize(columns.size());
    cells.push_back(std::move(line));
  }
  return table_of(std::move(columns), std::move(cells));
}

Table bytes_table(const Rows& rows) {
  std::vector<Column> columns{text("method"), real("budget")};
  for (const PackedBytesPart& part : kPackedBytesParts) {
    columns.push_back({.name = part.name, .unit = "B"});
  }
  columns.push_back({.name = "total", .unit = "B"});
  std::vector<std::vector<Cell>> cells;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].fit.policy) continue;
    std::vector<Cell> line{rows[i].method, real_cell(rows[i].fit.budget)};
    for (const PackedBytesPart& part : kPackedBytesParts) {
      line.emplace_back(rows[i].figures.packed.*part.bytes);
    }
    line.emplace_back(rows[i].figures.packed.total());
    cells.push_back(std::move(line));
  }
  return table_of(std::move(columns), std::move(cells));
}

// How near a method came: the nearest on both sides of the budget.
std::string nearness(const BudgetFit& fit) {
  std::string out;
  if (fit.below > 0) out = short_text(fit.below);
  if (fit.above > 0) out += cat(out.empty() ? "" : " and ", short_text(fit.above));
  return out;
}

Table settings_table(const Rows& rows) {
  std::vector<std::vector<Cell>> cells;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const MethodAtBudget& row = rows[i];
    std::string setting;
    for (const std::string& each : row.fit.assignments) {
      setting += cat(setting.empty() ? "" : " ", each);
    }
    std::string note = row.refusal;
    if (row.fit.policy && !row.fit.met) note = cat("nearest ", nearness(row.fit));
    cells.push_back({row.method, real_cell(row.fit.budget), setting, note});
  }
  return table_of({text("method"), real("budget"), text("setting"), text("note")},
                  std::move(cells));
}

// Of methods that have one setting for all budgets, one row.
Table front_table(const Rows& rows, const ChartRows& front) {
  std::set<std::pair<std::string, double>> seen;
  std::vector<std::vector<Cell>> cells;
  for (const std::int64_t at : front) {
    const auto i = static_cast<std::size_t>(at);
    if (!seen.emplace(rows[i].method, rows.ratio(i)).second) continue;
    cells.push_back({real_cell(rows.ratio(i)), optional_cell(rows.loss(i)), rows[i].method,
                     real_cell(rows[i].fit.budget)});
  }
  return table_of(
      {real("ratio_packed"), real(rows.loss_name(), rows.loss_name() == "kl_mean" ? "nat" : "1"),
       text("method"), real("budget")},
      std::move(cells));
}

// Who loses least at a budget of those that met it, and what the paper's method loses beside.
std::string budget_remark(const Rows& rows, double budget) {
  std::optional<std::size_t> best, own;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].fit.budget != budget || !rows.met(i) || !rows.loss(i)) continue;
    if (!best || *rows.loss(i) < *rows.loss(*best)) best = i;
    if (rows[i].method == kOwn) own = i;
  }
  const std::string at = cat("At ", number_text(budget), " x ");
  if (!best) return cat(at, "no method meets the budget.");
  std::string out = cat(at, rows[*best].method, " loses least (", rows.loss_name(), " ",
                        short_text(*rows.loss(*best)), ")");
  if (own && own != best) {
    out += cat(", ", kOwn, " ", short_text(*rows.loss(*own) / *rows.loss(*best)), " times as much");
  }
  return out + ".";
}

std::vector<std::string> remarks_of(const Rows& rows) {
  std::vector<std::string> out{
      cat("Of a method's settings within ", number_text(100 * kBudgetTolerance),
          " % of a budget's packed bytes the one was taken that loses least on the captured "
          "caches; where none is, its nearest one stands here and \"met\" says cannot. "
          "ratio_packed is of all bytes that are stored, against 2 bytes a value; scales are "
          "f16.")};
  std::set<double> budgets;
  for (std::size_t i = 0; i < rows.size(); ++i) budgets.insert(rows[i].fit.budget);
  for (const double budget : budgets) out.push_back(budget_remark(rows, budget));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const MethodAtBudget& row = rows[i];
    if (row.fit.policy && !rows.met(i)) {
      out.push_back(cat(row.method, " cannot meet ", number_text(row.fit.budget), " x: nearest ",
                        nearness(row.fit), "."));
    } else if (!row.fit.policy && row.fit.budget == *budgets.begin()) {
      out.push_back(cat(row.method, " is not there: ", row.refusal, "."));
    }
  }
  return out;
}

}  // namespace

ExperimentResult method_tables(std::span<const MethodAtBudget> methods,
                               const MethodScores* scores) {
  const Rows rows(methods, scores);
  const Table main = main_table(rows);
  const std::string loss = rows.loss_name();
  const ChartRows front = front_rows(main, all_rows(main), {"ratio_packed", loss, true});
  ExperimentResult out;
  out.tables.push_back({"", "Every method at the same packed bytes", main});
  out.tables.push_back(
      {"front", cat("No other saves more and loses less (", loss, ")"), front_table(rows, front)});
  out.tables.push_back({"bytes", "Packed bytes by component", bytes_table(rows)});
  out.tables.push_back({"settings", "Settings", settings_table(rows)});
  std::vector<std::string> names;
  for (const MethodAtBudget& row : methods) {
    if (std::ranges::find(names, row.method) == names.end()) names.push_back(row.method);
  }
  out.chart = method_chart(main, out.tables[1].table, names, loss);
  out.remarks = remarks_of(rows);
  return out;
}

}  // namespace qaq
