#include "core/analysis/chart_rows.h"

#include <algorithm>
#include <numeric>

#include "core/analysis/pareto_front.h"

namespace qaq {
namespace {

std::size_t column_of(const Table& table, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(table.columns, name, &Column::name) -
                                  table.columns.begin());
}

std::vector<Cell> cells_of(const Table& table, const std::string& name) {
  const std::size_t column = column_of(table, name);
  std::vector<Cell> out;
  table.for_each_row([&](std::span<const Cell> row) { out.push_back(row[column]); });
  return out;
}

}  // namespace

ChartRows all_rows(const Table& table) {
  ChartRows out(static_cast<std::size_t>(table.n_rows));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

ChartRows rows_where(const Table& table, const std::string& column,
                     const std::function<bool(const std::string&)>& accepts) {
  const Column& meaning = table.columns.at(column_of(table, column));
  ChartRows out;
  std::int64_t at = 0;
  for (const Cell& cell : cells_of(table, column)) {
    const auto* choice = std::get_if<std::int64_t>(&cell);
    const auto* text = std::get_if<std::string>(&cell);
    const bool accepted =
        text ? accepts(*text)
             : choice && accepts(meaning.choices.at(static_cast<std::size_t>(*choice)));
    if (accepted) out.push_back(at);
    ++at;
  }
  return out;
}

ChartRows rows_beginning(const Table& table, const std::string& column,
                         const std::string& beginning) {
  return rows_where(table, column,
                    [&](const std::string& text) { return text.starts_with(beginning); });
}

ChartRows front_rows(const Table& table, const ChartRows& rows, const FrontColumns& columns) {
  const std::vector<Cell> ratios = cells_of(table, columns.ratio),
                          gains = cells_of(table, columns.gain);
  ChartRows known;
  std::vector<Tradeoff> points;
  for (const std::int64_t row : rows) {
    const auto* ratio = std::get_if<float>(&ratios[static_cast<std::size_t>(row)]);
    const auto* gain = std::get_if<float>(&gains[static_cast<std::size_t>(row)]);
    if (!ratio || !gain) continue;
    known.push_back(row);
    points.push_back({*ratio, columns.gain_is_loss ? *gain : -*gain});
  }
  const std::vector<bool> best = pareto_front(points);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (best[i]) order.push_back(i);
  }
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return points[i].ratio; });
  ChartRows out;
  for (const std::size_t i : order) out.push_back(known[i]);
  return out;
}

}  // namespace qaq
