// Rows of results, and rows as text.
#include "core/analysis/tables.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/analysis/maps.h"
#include "core/analysis/table_text.h"
#include "core/policy/importance.h"
#include "core/replay/replay.h"
#include "tests/support/refusal.h"
#include "tests/support/small_table.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

std::vector<std::vector<Cell>> rows_of(const Table& table) {
  std::vector<std::vector<Cell>> rows;
  table.for_each_row([&](std::span<const Cell> row) { rows.emplace_back(row.begin(), row.end()); });
  EXPECT_EQ(static_cast<std::int64_t>(rows.size()), table.n_rows);
  for (const auto& row : rows) EXPECT_EQ(row.size(), table.columns.size());
  return rows;
}

std::int64_t whole(const Cell& cell) { return std::get<std::int64_t>(cell); }

// Layers 3 and 7 of a model.
CaptureInfo two_layers(CaptureInfo info) {
  info.shape.n_layers = 8;
  info.layers = {3, 7};
  return info;
}

TEST(Tables, OfACacheHoldEveryCellOnce) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 10});
  ReplayOptions options;
  options.prefix = 6;
  options.params.value.outliers_ratio = 0.3;
  const SharedReplay result = replay(capture, options);
  const CaptureInfo info = two_layers(capture.info());
  const auto bits = rows_of(bits_table(result, info));
  const auto outliers = rows_of(outliers_table(result, info));
  const auto errors = rows_of(errors_table(result, info));
  ASSERT_EQ(bits.size(), 2u * 2 * 2 * 10);
  std::size_t i = 0;
  std::int64_t n_outliers = 0;
  for (const int side : {0, 1}) {
    const CacheReplay& cache = side == 0 ? result->key : result->value;
    for (const std::int64_t layer : {0, 1}) {
      for (const std::int64_t head : {0, 1}) {
        for (std::int64_t token = 0; token < 10; ++token, ++i) {
          for (const auto* rows : {&bits, &outliers, &errors}) {
            const std::vector<Cell>& row = (*rows)[i];
            EXPECT_EQ(whole(row[0]), side);
            EXPECT_EQ(whole(row[1]), layer == 0 ? 3 : 7);
            EXPECT_EQ(whole(row[2]), head);
            EXPECT_EQ(whole(row[3]), token);
          }
          EXPECT_EQ(whole(bits[i][4]), cache.bits(layer, head, token));
          EXPECT_EQ(std::get<float>(errors[i][4]), cache.error(layer, head, token));
          n_outliers += whole(outliers[i][4]);
          std::istringstream channels(std::get<std::string>(outliers[i][5]));
          std::int64_t n_channels = 0;
          for (int channel = 0; channels >> channel; ++n_channels) {
            EXPECT_TRUE(cache.outliers(layer, head, token, 0) >> (7 - channel) & 1);
          }
          EXPECT_EQ(n_channels, whole(outliers[i][4]));
        }
      }
    }
  }
  EXPECT_EQ(n_outliers, result->key.n_outliers + result->value.n_outliers);
  EXPECT_GT(n_outliers, 0);
}

TEST(Tables, ScoreErrorsAreThoseOfTheReplayedRows) {
  // Rows 7 to 11 were captured, those from 9 on are behind the prefix.
  const MemoryCapture capture = synthetic_capture({.n_tokens = 12}, 1, 5);
  ReplayOptions options;
  options.prefix = 9;
  options.params.value.use_attentions = false;
  const SharedReplay result = replay(capture, options);
  const auto rows = rows_of(score_errors_table(result, two_layers(capture.info())));
  ASSERT_EQ(rows.size(), 2u * 4 * 3);
  const std::vector<Cell>& last = rows.back();
  EXPECT_EQ(whole(last[0]), 7);
  EXPECT_EQ(whole(last[1]), 3);
  EXPECT_EQ(whole(last[2]), 1);
  EXPECT_EQ(whole(last[3]), 11);
  EXPECT_EQ(whole(rows.front()[3]), 9);
  EXPECT_EQ(std::get<float>(last[4]), result->attention_error(1, 3, 4));
  EXPECT_EQ(std::get<float>(last[5]), result->output_error(1, 3, 4));

  CaptureInfo info = capture.info();
  info.has_queries = false;
  MemoryCapture::Arrays arrays = synthetic_arrays({.n_tokens = 12}, 1, 5);
  arrays.query.clear();
  const MemoryCapture no_queries(info, std::move(arrays));
  EXPECT_EQ(refusal([&] { score_errors_table(replay(no_queries, options), info); }),
            "synthetic.h5: /entry/query: holds no queries, so that errors of scores and outputs "
            "are not known; capture again without --no-queries");
}

TEST(Tables, AViolationIsARow) {
  ViolationReport report;
  report.violations = {{1, 3, 8, 2, 0.5f, 0.125f}, {0, 2, 9, 1, 0.25f, 0.0f}};
  const CaptureInfo info = two_layers(synthetic_info({}));
  const auto rows = rows_of(violations_table(report, {2, std::nullopt}, info));
  EXPECT_EQ(rows[0],
            (std::vector<Cell>{std::int64_t{7}, std::int64_t{3}, std::int64_t{1}, std::int64_t{8},
                               std::int64_t{2}, 0.5f, 0.125f, 4.0f, std::int64_t{2}}));
  EXPECT_EQ(whole(rows[1][0]), 3);
  EXPECT_EQ(rows[1][7], Cell());
  EXPECT_EQ(rows[1][8], Cell());
}

TEST(Tables, ImportanceIsTheWindowsMaximum) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 12});
  const ImportanceWindow window{.prefix = 9, .n_rows = 4, .reduce = GqaReduce::mean};
  const auto rows = rows_of(importance_table(capture, window));
  ASSERT_EQ(rows.size(), 2u * 2 * 9);
  NdArray<float, 2> expected({2, 9});
  window_importance(capture.attention(1, 5, 4)->view(), GqaReduce::mean, expected.view());
  for (std::int64_t token = 0; token < 9; ++token) {
    EXPECT_EQ(std::get<float>(rows[static_cast<std::size_t>(27 + token)][3]), expected(1, token));
  }
  const MemoryCapture few = synthetic_capture({.n_tokens = 12}, 1, 3);
  const std::string line = refusal([&] { importance_table(few, {.prefix = 12, .n_rows = 5}); });
  EXPECT_NE(line.find("rows 7 to 11"), std::string::npos) << line;
}

TEST(TableText, AsCsv) {
  std::ostringstream out;
  write_csv(small_table(), out);
  EXPECT_EQ(out.str(), "side,n [bit],x [1],t\nvalue,-3,0.1,4 5\nkey,,,\n");
}

TEST(TableText, AsJson) {
  std::ostringstream out;
  write_json(small_table(), {{"what", "test"}}, out);
  const auto json = nlohmann::json::parse(out.str());
  EXPECT_EQ(json["what"], "test");
  EXPECT_EQ(json["columns"][1], (nlohmann::json{{"name", "n"}, {"unit", "bit"}}));
  EXPECT_EQ(json["rows"],
            nlohmann::json::parse(R"([["value",-3,0.1,"4 5"],["key",null,null,""]])"));
  Table empty = small_table();
  empty.for_each_row = [](const RowSink&) {};
  out.str("");
  write_json(empty, nlohmann::ordered_json::object(), out);
  EXPECT_EQ(nlohmann::json::parse(out.str())["rows"], nlohmann::json::array());
}

// What has a meaning in a format comes back from it as it was.
TEST(TableText, TextsAreToldFromTheFormat) {
  Table table;
  table.columns = {{.name = "t", .kind = ColumnKind::text},
                   {.name = "u", .kind = ColumnKind::text}};
  const std::vector<Cell> row{std::string("a \"b\"\n\\"), std::string("|, \t")};
  table.for_each_row = [&](const RowSink& sink) { sink(row); };
  std::ostringstream json, csv, tsv, markdown;
  write_json(table, nlohmann::ordered_json::object(), json);
  EXPECT_EQ(nlohmann::json::parse(json.str())["rows"][0][0], "a \"b\"\n\\");
  write_csv(table, csv);
  EXPECT_EQ(csv.str(), "t,u\n\"a \"\"b\"\"\n\\\",\"|, \t\"\n");
  write_tsv(table, tsv);
  EXPECT_EQ(tsv.str(), "t\tu\n\"a \"\"b\"\"\n\\\"\t\"|, \t\"\n");
  write_markdown(table, markdown);
  EXPECT_EQ(markdown.str(), "| t | u |\n|---|---|\n| a \"b\" \\ | \\|, \t |\n");
}

TEST(TableText, NumbersReadBackAsTheSame) {
  std::vector<float> numbers{1.0f / 3, 1e-45f, 3.4028235e38f, 16777217.0f, -0.0f, 5e-8f};
  Table table;
  table.columns = {{.name = "x", .kind = ColumnKind::real}};
  table.for_each_row = [&](const RowSink& sink) {
    for (const float x : numbers) sink(std::vector<Cell>{x});
  };
  std::stringstream csv;
  write_csv(table, csv);
  std::string line;
  std::getline(csv, line);
  for (const float x : numbers) {
    std::getline(csv, line);
    EXPECT_EQ(std::strtof(line.c_str(), nullptr), x) << line;
    EXPECT_EQ(static_cast<float>(nlohmann::json::parse(line).get<double>()), x) << line;
  }
}

TEST(Tables, OfOneHeadAreItsRowsOfTheWhole) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 10});
  ReplayOptions options;
  options.prefix = 6;
  const SharedReplay result = replay(capture, options);
  const CaptureInfo info = two_layers(capture.info());
  const auto all = rows_of(bits_table(result, info));
  std::vector<std::vector<Cell>> wanted;
  std::copy_if(all.begin(), all.end(), std::back_inserter(wanted), [](const auto& row) {
    return whole(row[0]) == 1 && whole(row[1]) == 7 && whole(row[2]) == 0;
  });
  EXPECT_EQ(rows_of(bits_table(result, info, TableHead{CacheSide::value, 1, 0})), wanted);
  EXPECT_EQ(rows_of(outliers_table(result, info, TableHead{CacheSide::key, 0, 1})).size(), 10u);
}

TEST(Tables, OfAttentionHoldTheLowerTriangle) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 6}, 1, /*window=*/2);
  const auto map = std::make_shared<const Heatmap>(attention_map(capture, 1, 0, true));
  const auto rows = rows_of(attention_table(map, 7, 0));
  ASSERT_EQ(rows.size(), 21u);
  const std::vector<Cell> first{std::int64_t{7}, std::int64_t{0}, std::int64_t{0}, std::int64_t{0},
                                Cell{}};
  EXPECT_EQ(rows.front(), first) << "row 0 was not captured";
  const auto scores = capture.attention(1, 1, 1);
  EXPECT_EQ(std::get<float>(rows.back()[4]), std::max((*scores)(0, 0, 5), (*scores)(1, 0, 5)));
  EXPECT_EQ(whole(rows.back()[2]), 5);
}

}  // namespace
}  // namespace qaq::test
