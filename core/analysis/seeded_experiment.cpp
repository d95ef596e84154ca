#include "core/analysis/seeded_experiment.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "core/analysis/row_table.h"
#include "core/base/text.h"

namespace qaq {
namespace {

using Row = std::vector<Cell>;

// One of an experiment's tables with the rows of all seeds.
struct Rows {
  ExperimentTable table;  // of the first seed
  std::vector<Row> rows;  // a seed, and the columns of the table

  void add(const Table& more, std::uint32_t seed) {
    more.for_each_row([&](std::span<const Cell> row) {
      Row& added = rows.emplace_back(Row{std::int64_t{seed}});
      added.insert(added.end(), row.begin(), row.end());
    });
  }
};

// Mean, least and largest of what seeds gave.
class Spread {
 public:
  void add(const Cell& cell) {
    const auto* value = std::get_if<float>(&cell);
    if (!value) return;
    low_ = n_ == 0 ? *value : std::min(low_, *value);
    high_ = n_ == 0 ? *value : std::max(high_, *value);
    sum_ += *value;
    ++n_;
  }
  void append_to(Row& row) const {
    if (n_ == 0) {
      row.insert(row.end(), 3, Cell());
    } else {
      row.insert(row.end(), {real_cell(sum_ / static_cast<double>(n_)), low_, high_});
    }
  }

 private:
  std::int64_t n_ = 0;
  double sum_ = 0;
  float low_ = 0, high_ = 0;
};

struct Measure {
  std::string name, unit;
};
const std::vector<Measure>& measures() {
  static const std::vector<Measure> kAll{
      {"accuracy", "1"}, {"kl_mean", "nat"}, {"ratio_paper", "1"}, {"ratio_packed", "1"}};
  return kAll;
}

// Where rows have it, behind the seed.
std::size_t column_of(const Table& table, const std::string& name) {
  return 1 + static_cast<std::size_t>(std::ranges::find(table.columns, name, &Column::name) -
                                      table.columns.begin());
}

// The table of what settings scored (score_table.h): the only one that begins with them.
const Rows* score_rows(const std::vector<Rows>& all) {
  const auto found = std::ranges::find(
      all, "setting", [](const Rows& r) { return r.table.table.columns.front().name; });
  return found == all.end() ? nullptr : &*found;
}

ExperimentTable summary_of(const Rows& scores, std::size_t n_seeds) {
  std::vector<std::string> names;  // in the table's order
  std::map<std::string, std::vector<Spread>> spreads;
  for (const Row& row : scores.rows) {
    const std::string& name = std::get<std::string>(row[1]);
    const auto [found, is_new] = spreads.try_emplace(name, measures().size());
    if (is_new) names.push_back(name);
    for (std::size_t i = 0; i < measures().size(); ++i) {
      found->second[i].add(row[column_of(scores.table.table, measures()[i].name)]);
    }
  }
  std::vector<Column> columns{{.name = "setting", .kind = ColumnKind::text}};
  for (const auto& [name, unit] : measures()) {
    const std::string stem = name == "kl_mean" ? "kl" : name;
    for (const char* part : {"_mean", "_min", "_max"}) {
      columns.push_back({.name = stem + part, .kind = ColumnKind::real, .unit = unit});
    }
  }
  std::vector<Row> rows;
  for (const std::string& name : names) {
    Row row{name};
    for (const Spread& spread : spreads.at(name)) spread.append_to(row);
    rows.push_back(std::move(row));
  }
  return {"seeds", cat("Mean, least and largest over ", n_seeds, " seeds"),
          table_of(std::move(columns), std::move(rows))};
}

ExperimentTable with_seed(Rows all) {
  std::vector<Column> columns{{.name = "seed"}};
  columns.insert(columns.end(), all.table.table.columns.begin(), all.table.table.columns.end());
  all.table.table = table_of(std::move(columns), std::move(all.rows));
  return std::move(all.table);
}

// The chart of the first seed: the rows that all tables begin with.
Chart chart_of_first(const ExperimentResult& first, std::uint32_t seed) {
  Chart chart = first.chart;
  for (ChartPanel& panel : chart.panels) {
    for (ChartSeries& series : panel.series) {
      const auto table =
          std::ranges::find(first.tables, series.source.table, &ExperimentTable::name);
      if (table == first.tables.end() || !series.source.rows.empty()) continue;
      series.source.rows.resize(static_cast<std::size_t>(table->table.n_rows));
      std::iota(series.source.rows.begin(), series.source.rows.end(), std::int64_t{0});
    }
  }
  chart.notes.push_back(cat("Questions as drawn with seed ", seed, "."));
  return chart;
}

void add_result(const ExperimentResult& result, std::uint32_t seed, ExperimentResult& out) {
  out.seconds += result.seconds;
  out.n = std::min(out.n, result.n);
  for (const std::string& each : result.settings) {
    if (std::ranges::find(out.settings, each) == out.settings.end()) out.settings.push_back(each);
  }
  for (const std::string& each : result.remarks) {
    out.remarks.push_back(cat("Seed ", seed, ": ", each));
  }
}

}  // namespace

ExperimentResult run_seeds(const Experiment& experiment, std::span<const SeededContext> draws) {
  ExperimentResult out;
  std::vector<Rows> tables;
  std::string asked;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const auto& [seed, given] = draws[i];
    ExperimentContext context = given;
    const double left = std::max(0.0, draws.front().context.seconds - out.seconds);
    context.seconds = left / static_cast<double>(draws.size() - i);
    if (i > 0) {
      context.questions.resize(std::min(context.questions.size(), static_cast<std::size_t>(out.n)));
    }
    const ExperimentResult result = experiment.run(context);
    asked += cat(i == 0 ? "" : ", ", seed, " (n = ", result.n, ")");
    if (i == 0) {
      out.items = result.items;
      out.n = result.n;
      out.n_available = result.n_available;
      out.chart = chart_of_first(result, seed);
      for (const ExperimentTable& table : result.tables) tables.push_back({table, {}});
    }
    add_result(result, seed, out);
    for (std::size_t t = 0; t < tables.size(); ++t) tables[t].add(result.tables[t].table, seed);
  }
  out.settings.insert(out.settings.begin(),
                      cat("questions drawn as Python's random.sample does, by seed: ", asked));
  const Rows* scores = score_rows(tables);
  if (draws.size() > 1 && scores) {
    out.tables.push_back(summary_of(*scores, draws.size()));
    out.remarks.insert(out.remarks.begin(),
                       "Seeds draw from one set of questions: draws that have some in common "
                       "differ less than other questions would.");
  }
  for (Rows& table : tables) out.tables.push_back(with_seed(std::move(table)));
  return out;
}

}  // namespace qaq
