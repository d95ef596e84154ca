#include "core/analysis/tables.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/capture_rows.h"
#include "core/replay/importance_windows.h"

namespace qaq {
namespace {

const Column kCache{.name = "cache", .kind = ColumnKind::choice, .choices = {"key", "value"}};

Cell whole(std::int64_t n) { return n; }

// Rows of one number or more a (cache, layer, kv_head, token); `cells` appends them.
using CellsOf = std::function<void(const CacheReplay&, std::int64_t layer, std::int64_t head,
                                   std::int64_t token, std::vector<Cell>& row)>;
Table cache_table(const SharedReplay& result, const CaptureInfo& info,
                  const std::optional<TableHead>& only, std::vector<Column> columns,
                  CellsOf cells) {
  Table table;
  table.columns = {kCache, {.name = "layer"}, {.name = "kv_head"}, {.name = "token"}};
  table.columns.insert(table.columns.end(), columns.begin(), columns.end());
  table.n_rows = only ? result->key.bits.shape(2) : 2 * result->key.bits.size();
  table.for_each_row = [result, only, layers = info.layers,
                        cells = std::move(cells)](const RowSink& sink) {
    std::vector<Cell> row;
    for (const int side : {0, 1}) {
      if (only && (side == 0) != (only->side == CacheSide::key)) continue;
      const CacheReplay& cache = side == 0 ? result->key : result->value;
      for (std::int64_t layer = 0; layer < cache.bits.shape(0); ++layer) {
        if (only && layer != only->layer) continue;
        for (std::int64_t head = 0; head < cache.bits.shape(1); ++head) {
          if (only && head != only->kv_head) continue;
          for (std::int64_t token = 0; token < cache.bits.shape(2); ++token) {
            row = {whole(side), whole(layers[static_cast<std::size_t>(layer)]), whole(head),
                   whole(token)};
            cells(cache, layer, head, token, row);
            sink(row);
          }
        }
      }
    }
  };
  return table;
}

std::vector<std::int64_t> channels_of(std::span<const std::uint8_t> mask) {
  std::vector<std::int64_t> channels;
  for (std::size_t byte = 0; byte < mask.size(); ++byte) {
    for (std::size_t bit = 0; bit < 8; ++bit) {
      if ((mask[byte] >> (7 - bit) & 1) != 0) {
        channels.push_back(static_cast<std::int64_t>(8 * byte + bit));
      }
    }
  }
  return channels;
}

SharedArray<float, 3> window_maxima(const CaptureView& capture, const ImportanceWindow& window,
                                    const Work& work) {
  const CaptureInfo& info = capture.info();
  const std::int64_t n = std::min(window.n_rows, window.prefix);
  const std::int64_t first = first_row_behind(info, window.prefix - n);
  if (info.profile == AttentionProfile::none || first_row_behind(info, window.prefix) - first < n) {
    refuse_input({.file = info.name,
                  .place = "/entry/attention",
                  .what = cat("lacks the attention rows ", window.prefix - n, " to ",
                              window.prefix - 1, " that importance is the maximum of"),
                  .cure = "capture again with --attention derive"});
  }
  return ImportanceWindows(capture).importance(window.prefix, first + n, n, window.reduce, work);
}

}  // namespace

Table bits_table(const SharedReplay& result, const CaptureInfo& info,
                 const std::optional<TableHead>& only) {
  return cache_table(result, info, only, {{.name = "bits", .unit = "bit"}, {.name = "evicted"}},
                     [](const CacheReplay& cache, std::int64_t layer, std::int64_t head,
                        std::int64_t token, std::vector<Cell>& row) {
                       const std::uint8_t bits = cache.bits(layer, head, token);
                       const bool evicted = bits == CacheReplay::kEvicted;
                       row.push_back(evicted ? Cell() : whole(bits));
                       row.push_back(whole(evicted));
                     });
}

Table outliers_table(const SharedReplay& result, const CaptureInfo& info,
                     const std::optional<TableHead>& only) {
  return cache_table(
      result, info, only,
      {{.name = "outliers", .unit = "1"}, {.name = "channels", .kind = ColumnKind::text}},
      [](const CacheReplay& cache, std::int64_t layer, std::int64_t head, std::int64_t token,
         std::vector<Cell>& row) {
        const auto channels = channels_of(cache.outliers.sub(layer, head, token).span());
        std::string text;
        for (const std::int64_t channel : channels) {
          text += (text.empty() ? "" : " ") + std::to_string(channel);
        }
        row.push_back(whole(static_cast<std::int64_t>(channels.size())));
        row.emplace_back(std::move(text));
      });
}

Table errors_table(const SharedReplay& result, const CaptureInfo& info) {
  return cache_table(result, info, {},
                     {{.name = "squared_error", .kind = ColumnKind::real, .unit = "1"}},
                     [](const CacheReplay& cache, std::int64_t layer, std::int64_t head,
                        std::int64_t token, std::vector<Cell>& row) {
                       const float error = cache.error(layer, head, token);
                       row.push_back(std::isnan(error) ? Cell() : Cell(error));
                     });
}

Table score_errors_table(const SharedReplay& result, const CaptureInfo& info) {
  if (result->attention_error.empty()) {
    refuse_input({.file = info.name,
                  .place = info.has_queries ? "/entry/attention" : "/entry/query",
                  .what = cat("holds no ", info.has_queries ? "attention" : "queries",
                              ", so that errors of scores and outputs are not known"),
                  .cure = info.has_queries ? "capture again with --attention derive"
                                           : "capture again without --no-queries"});
  }
  const std::int64_t first = first_replayed_row(info, result->prefix);
  const Shape<3>& shape = result->attention_error.shape();
  Table table;
  table.columns = {{.name = "layer"},
                   {.name = "head"},
                   {.name = "kv_head"},
                   {.name = "step"},
                   {.name = "attention_error", .kind = ColumnKind::real, .unit = "1"},
                   {.name = "output_error", .kind = ColumnKind::real, .unit = "1"}};
  table.n_rows = shape[0] * shape[1] * (shape[2] - first);
  table.for_each_row = [result, first, layers = info.layers, steps = info.query_token,
                        group = info.shape.n_heads / info.shape.n_kv_heads](const RowSink& sink) {
    const NdArray<float, 3>& scores = result->attention_error;
    for (std::int64_t layer = 0; layer < scores.shape(0); ++layer) {
      for (std::int64_t head = 0; head < scores.shape(1); ++head) {
        for (std::int64_t row = first; row < scores.shape(2); ++row) {
          const std::vector<Cell> cells{whole(layers[static_cast<std::size_t>(layer)]),
                                        whole(head),
                                        whole(head / group),
                                        whole(steps[static_cast<std::size_t>(row)]),
                                        scores(layer, head, row),
                                        result->output_error(layer, head, row)};
          sink(cells);
        }
      }
    }
  };
  return table;
}

Table violations_table(ViolationReport report, std::vector<std::optional<int>> deficits,
                       const CaptureInfo& info) {
  Table table;
  table.columns = {{.name = "layer"},
                   {.name = "head"},
                   {.name = "kv_head"},
                   {.name = "step"},
                   {.name = "token"},
                   {.name = "score", .kind = ColumnKind::real, .unit = "1"},
                   {.name = "window_max", .kind = ColumnKind::real, .unit = "1"},
                   {.name = "jump_ratio", .kind = ColumnKind::real, .unit = "1"},
                   {.name = "bits_deficit", .unit = "bit"}};
  table.n_rows = static_cast<std::int64_t>(report.violations.size());
  table.for_each_row = [report = std::make_shared<const ViolationReport>(std::move(report)),
                        deficits = std::move(deficits), layers = info.layers,
                        group = info.shape.n_heads / info.shape.n_kv_heads](const RowSink& sink) {
    for (std::size_t i = 0; i < report->violations.size(); ++i) {
      const Violation& v = report->violations[i];
      const Cell ratio = v.window_max > 0 ? Cell(v.score / v.window_max) : Cell();
      const Cell deficit = deficits[i] ? whole(*deficits[i]) : Cell();
      const std::vector<Cell> row{whole(layers[static_cast<std::size_t>(v.layer)]),
                                  whole(v.head),
                                  whole(v.head / group),
                                  whole(v.step),
                                  whole(v.token),
                                  v.score,
                                  v.window_max,
                                  ratio,
                                  deficit};
      sink(row);
    }
  };
  return table;
}

Table importance_table(const CaptureView& capture, const ImportanceWindow& window,
                       const Work& work) {
  Table table;
  table.columns = {{.name = "layer"},
                   {.name = "kv_head"},
                   {.name = "token"},
                   {.name = "importance", .kind = ColumnKind::real, .unit = "1"}};
  const SharedArray<float, 3> maxima = window_maxima(capture, window, work);
  table.n_rows = maxima->size();
  table.for_each_row = [maxima, layers = capture.info().layers](const RowSink& sink) {
    for (std::int64_t layer = 0; layer < maxima->shape(0); ++layer) {
      for (std::int64_t head = 0; head < maxima->shape(1); ++head) {
        for (std::int64_t token = 0; token < maxima->shape(2); ++token) {
          const std::vector<Cell> row{whole(layers[static_cast<std::size_t>(layer)]), whole(head),
                                      whole(token), (*maxima)(layer, head, token)};
          sink(row);
        }
      }
    }
  };
  return table;
}

Table attention_table(SharedHeatmap attention, std::int64_t layer, std::int64_t kv_head) {
  Table table;
  table.columns = {{.name = "layer"},
                   {.name = "kv_head"},
                   {.name = "step"},
                   {.name = "token"},
                   {.name = "attention", .kind = ColumnKind::real, .unit = "1"}};
  const std::int64_t n = attention->rows();
  table.n_rows = n * (n + 1) / 2;
  table.for_each_row = [attention = std::move(attention), layer, kv_head](const RowSink& sink) {
    std::vector<Cell> row{whole(layer), whole(kv_head), Cell{}, Cell{}, Cell{}};
    for (std::int64_t step = 0; step < attention->rows(); ++step) {
      for (std::int64_t token = 0; token <= step; ++token) {
        const float score = attention->at(step, token);
        row[2] = whole(step);
        row[3] = whole(token);
        row[4] = Heatmap::is_value(score) ? Cell(score) : Cell();
        sink(row);
      }
    }
  };
  return table;
}

}  // namespace qaq
