// Bytes by part: nothing is lost between the parts, the totals and the ratios of a replay.
#include "core/analysis/memory_report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/replay/replay.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

ReplayOptions setting(Level level, double outliers_ratio, int dtype_bits) {
  ReplayOptions options;
  options.prefix = 20;
  options.params.dtype_bits = dtype_bits;
  for (QaqSideParams* side : {&options.params.key, &options.params.value}) {
    side->level = level;
    side->outliers_ratio = outliers_ratio;
    side->target_quantization_error = 0.1;
  }
  return options;
}

TEST(MemoryReport, PartsAddUpToWhatTheReplaySays) {
  const MemoryCapture capture = synthetic_capture();
  for (const Level level : {Level::no_quantization, Level::token, Level::layer, Level::head}) {
    for (const double ratio : {0.0, 0.2}) {
      for (const int dtype_bits : {16, 32}) {
        const auto result = replay(capture, setting(level, ratio, dtype_bits));
        const MemoryReport report = memory_report(*result);
        for (const auto& [memory, cache] :
             {std::pair{&report.key, &result->key}, std::pair{&report.value, &result->value}}) {
          EXPECT_EQ(memory->total(Accounting::packed), static_cast<double>(cache->packed.total()));
          EXPECT_NEAR(memory->total(Accounting::nominal), cache->size_per_token_bits * 20 / 8,
                      1e-6);
          EXPECT_EQ(memory->exact, 2 * 2 * 20 * 8 * 2);
          EXPECT_DOUBLE_EQ(memory->ratio_packed,
                           static_cast<double>(memory->exact) / memory->total(Accounting::packed));
          if (dtype_bits == 16) {
            EXPECT_NEAR(memory->ratio_nominal,
                        static_cast<double>(memory->exact) / memory->total(Accounting::nominal),
                        1e-9);
          }
        }
        EXPECT_EQ(report.both.total(Accounting::packed),
                  report.key.total(Accounting::packed) + report.value.total(Accounting::packed));
        // Two over the sum of their inverses: both caches have the same numbers.
        EXPECT_NEAR(report.both.ratio_nominal,
                    2 / (1 / report.key.ratio_nominal + 1 / report.value.ratio_nominal), 1e-9);
        EXPECT_NEAR(report.both.ratio_packed,
                    2 / (1 / report.key.ratio_packed + 1 / report.value.ratio_packed), 1e-9);
      }
    }
  }
}

TEST(MemoryReport, ByHand) {
  // 4 bits everywhere, units of 8 values: 80 units each cache, no outliers.
  ReplayOptions options = setting(Level::head, 0, 16);
  for (QaqSideParams* side : {&options.params.key, &options.params.value}) {
    side->use_attentions = false;
    side->n_bits_uniform = 4;
  }
  const MemoryReport report = memory_report(*replay(synthetic_capture(), options));
  EXPECT_EQ(report.key.packed, (std::array<std::int64_t, kMemoryParts>{320, 640}))
      << "4 bytes of codes and 8 of scale and base a unit";
  EXPECT_EQ(report.key.nominal, (std::array<double, kMemoryParts>{320, 320}))
      << "scale and base in 16 bits each";
  EXPECT_DOUBLE_EQ(report.both.ratio_nominal, 2.0);
  EXPECT_DOUBLE_EQ(report.both.ratio_packed, 1280 / 960.0);
}

TEST(MemoryReport, HasTheNumbersThatReplayPrints) {
  const auto result = replay(synthetic_capture(), setting(Level::layer, 0.2, 16));
  const MemoryReport report = memory_report(*result);
  const auto printed = metrics_json(*result);
  for (std::size_t i = 0; i < kMemoryParts; ++i) {
    const std::string part(ChoiceNames<MemoryPart>::names[i]);
    EXPECT_EQ(printed["key_packed_bytes"][part], report.key.packed[i]) << part;
    EXPECT_EQ(printed["value_packed_bytes"][part], report.value.packed[i]) << part;
  }
  EXPECT_EQ(printed["ratio_nominal"], report.both.ratio_nominal);
}

TEST(MemoryReport, NominalKnowsNoPlaces) {
  const MemoryReport report =
      memory_report(*replay(synthetic_capture(), setting(Level::head, 0.2, 16)));
  for (const MemoryPart part : {MemoryPart::outlier_indices, MemoryPart::outlier_counts,
                                MemoryPart::bit_map, MemoryPart::offsets}) {
    EXPECT_EQ(report.value.part(Accounting::nominal, part), 0);
    EXPECT_GT(report.value.part(Accounting::packed, part), 0);
  }
  EXPECT_NEAR(report.value.part(Accounting::nominal, MemoryPart::outlier_values), 0.2 * 2 * 640,
              1e-9);
}

TEST(MemoryReport, TheTableHasTheSameBytes) {
  const MemoryReport report =
      memory_report(*replay(synthetic_capture(), setting(Level::head, 0.2, 16)));
  const Table table = memory_table(report);
  EXPECT_EQ(table.n_rows, 3 * (kMemoryParts + 1));
  std::int64_t of_parts = 0, of_totals = 0;
  table.for_each_row([&](std::span<const Cell> row) {
    (std::get<std::int64_t>(row[1]) < kMemoryParts ? of_parts : of_totals) +=
        std::get<std::int64_t>(row[2]);
  });
  EXPECT_EQ(of_parts, of_totals);
  EXPECT_EQ(static_cast<double>(of_totals), 2 * report.both.total(Accounting::packed));
}

}  // namespace
}  // namespace qaq::test
