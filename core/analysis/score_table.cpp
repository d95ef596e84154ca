#include "core/analysis/score_table.h"

#include <algorithm>

#include "core/analysis/row_table.h"
#include "core/base/text.h"

namespace qaq {
namespace {

const Column kText{.name = "setting", .kind = ColumnKind::text};
// As the paper prints accuracies.
std::string three_digits(double value) { return fixed_text(value, 3); }

std::vector<Cell> accuracy_cells(const Accuracy& a) {
  return {a.n_right, a.n, real_cell(a.accuracy), real_cell(a.wilson.low), real_cell(a.wilson.high)};
}

void append(std::vector<Cell>& row, const std::vector<Cell>& more) {
  row.insert(row.end(), more.begin(), more.end());
}

}  // namespace

ScoreTable::ScoreTable(SettingRuns runs)
    : runs_(std::move(runs)), whole_(reference_accuracy(runs_.items).value()) {
  for (std::size_t i = 0; i < runs_.settings.size(); ++i) {
    summaries_.push_back(summarize(runs_.items, i));
  }
}

double ScoreTable::p(std::size_t first, std::optional<std::size_t> second) const {
  return paired_test(runs_.items, first, second).p;
}

std::size_t ScoreTable::index(const std::string& name) const {
  const auto found =
      std::ranges::find(runs_.settings, name, &NamedSetting::name) - runs_.settings.begin();
  return static_cast<std::size_t>(found);
}

Table ScoreTable::table(std::vector<Column> more,
                        const std::vector<std::vector<Cell>>& cells) const {
  std::vector<Column> columns{kText,
                              {.name = "n_right"},
                              {.name = "n"},
                              real_column("accuracy"),
                              real_column("accuracy_low"),
                              real_column("accuracy_high"),
                              real_column("kl_mean", "nat"),
                              real_column("same_top"),
                              real_column("key_bits", "bit"),
                              real_column("value_bits", "bit"),
                              real_column("ratio_paper"),
                              real_column("ratio_nominal"),
                              real_column("ratio_packed"),
                              real_column("p_whole")};
  std::vector<Cell> whole{std::string("whole cache")};
  append(whole, accuracy_cells(whole_));
  append(whole, {0.0f, 1.0f, {}, {}, 1.0f, 1.0f, 1.0f, {}});
  whole.resize(columns.size() + more.size());
  std::vector<std::vector<Cell>> rows{whole};
  for (std::size_t i = 0; i < size(); ++i) {
    const SettingSummary& s = summaries_[i];
    std::vector<Cell> row{name(i)};
    append(row, accuracy_cells(accuracy(i)));
    append(row, {real_cell(s.divergences.kl_mean), real_cell(s.divergences.same_top),
                 real_cell(s.cache.key_average_n_bits), real_cell(s.cache.value_average_n_bits),
                 real_cell(s.ratio_paper()), real_cell(s.ratio_nominal()),
                 real_cell(s.ratio_packed()), real_cell(p(i, {}))});
    if (!more.empty()) append(row, cells[i]);
    rows.push_back(std::move(row));
  }
  columns.insert(columns.end(), more.begin(), more.end());
  return table_of(std::move(columns), std::move(rows));
}

ExperimentResult ScoreTable::result() const {
  ExperimentResult out;
  out.items = "questions";
  out.n = std::ssize(runs_.items);
  out.n_available = runs_.n_available;
  out.seconds = runs_.seconds;
  out.settings = {"zero-shot, no beginning token, score by log-probability per token",
                  "a choice's first token comes from the whole cache, as in the authors' code: a "
                  "choice of one token cannot change"};
  if (const auto n = std::ranges::count_if(
          runs_.items, [](const ItemResult& item) { return item.boundary_mismatch; });
      n > 0) {
    out.settings.push_back(cat(n, " questions whose tokens a choice changes"));
  }
  out.remarks.push_back(cat(
      "Intervals are Wilson's at 95 %; p_whole is the exact McNemar test against the whole "
      "cache on the same ",
      out.n, " questions. The whole cache answers ", three_digits(whole_.accuracy), " (",
      three_digits(whole_.wilson.low), " to ", three_digits(whole_.wilson.high),
      ") rightly. Where the interval is wide, KL tells more: "
      "it is of every token behind the question. ratio_paper leaves scales, indices and bit "
      "map out; ratio_packed is of the bytes that are stored, with values that are kept exactly "
      "(outliers, a cache left exact) as ",
      name_of(runs_.dtype), ", against 2 bytes a value."));
  return out;
}

std::string ScoreTable::accuracy_text(std::size_t i) const {
  const Accuracy& a = accuracy(i);
  return cat(three_digits(a.accuracy), " (", three_digits(a.wilson.low), " to ",
             three_digits(a.wilson.high), ")");
}

Table paper_table(const ScoreTable& scores, const std::vector<Counterpart>& pairs) {
  std::vector<std::vector<Cell>> rows;
  for (const auto& [paper, setting] : pairs) {
    std::vector<Cell> row{std::string(paper.model), std::string(paper.task),
                          std::string(paper.what),
                          paper.accuracy ? real_cell(*paper.accuracy) : Cell{},
                          paper.ratio ? real_cell(*paper.ratio) : Cell{}};
    if (setting) {
      append(row, {scores.name(*setting)});
      append(row, accuracy_cells(scores.accuracy(*setting)));
      const SettingSummary& ours = scores.summary(*setting);
      append(row, {real_cell(ours.ratio_paper()), real_cell(ours.ratio_packed()),
                   real_cell(ours.cache.key_average_n_bits),
                   real_cell(ours.cache.value_average_n_bits)});
    }
    row.resize(15);
    rows.push_back(std::move(row));
  }
  return table_of({{.name = "paper_model", .kind = ColumnKind::text},
                   {.name = "paper_task", .kind = ColumnKind::text},
                   {.name = "paper_setting", .kind = ColumnKind::text},
                   real_column("paper_accuracy"),
                   real_column("paper_ratio"),
                   {.name = "our_setting", .kind = ColumnKind::text},
                   {.name = "n_right"},
                   {.name = "n"},
                   real_column("accuracy"),
                   real_column("accuracy_low"),
                   real_column("accuracy_high"),
                   real_column("ratio_paper"),
                   real_column("ratio_packed"),
                   real_column("key_bits", "bit"),
                   real_column("value_bits", "bit")},
                  std::move(rows));
}

}  // namespace qaq
