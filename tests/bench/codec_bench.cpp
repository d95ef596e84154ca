// How fast the rivals' codecs quantize one layer of LLaMA-2-7B's size, beside QAQ's own of a given
// plan, in one run.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/stopwatch.h"
#include "core/quant/block_codec.h"
#include "core/quant/codebook_codec.h"
#include "core/quant/group_codec.h"
#include "core/quant/hadamard.h"
#include "core/quant/quantize.h"
#include "core/quant/unit_stats.h"

namespace qaq {
namespace {

constexpr std::int64_t kHeads = 32, kTokens = 2048, kHeadDim = 128;
constexpr int kRounds = 7;

struct Row {
  std::string name;
  std::function<void()> body;
  std::vector<double> seconds = {};
};

void measure() {
  const Shape<3> shape{kHeads, kTokens, kHeadDim};
  const TokenSpan all{0, kTokens};
  NdArray<float, 3> input(shape), out(shape);
  std::mt19937 bits(1);
  std::normal_distribution<float> normal;
  for (float& x : input.span()) x = normal(bits);
  const CacheLayer in = input.view();

  Plan plan;
  plan.quantizer = {.level = Level::head, .range_rule = RangeRule::minmax};
  plan.layout = UnitLayout(Level::head, {1, kHeads, kTokens, kHeadDim});
  plan.n_bits.assign(static_cast<std::size_t>(plan.layout.n_units()), 4);
  std::vector<UnitStats> stats(plan.n_bits.size());
  const auto statistics = [&] { fill_unit_stats(plan.layout, plan.quantizer, 0, {&in, 1}, stats); };
  statistics();

  std::vector<Row> rows;
  rows.push_back({"quantize_layer, min-max, head, 4 bits",
                  [&] { quantize_layer(plan, stats, 0, in, {out.view()}); }});
  rows.push_back({"the same with its statistics", [&] {
                    statistics();
                    quantize_layer(plan, stats, 0, in, {out.view()});
                  }});
  for (const GroupAxis axis : {GroupAxis::token, GroupAxis::channel}) {
    for (const std::int64_t size : {0, 32, 128}) {
      rows.push_back({"groups of 4 bits along " +
                          std::string(axis == GroupAxis::token ? "channels, " : "tokens, ") +
                          std::to_string(size),
                      [&, axis, size] {
                        quantize_groups({.axis = axis, .group_size = size}, in, all, {out.view()});
                      }});
    }
  }
  for (const WeightType type : {WeightType::q8_0, WeightType::q4_0}) {
    rows.push_back({std::string(weight_type_info(type).name),
                    [&, type] { quantize_blocks(type, in, all, out.view()); }});
  }
  rows.push_back({"hadamard", [&] {
                    parallel_for(kHeads, [&](std::int64_t head) {
                      std::ranges::copy(input.sub(head).span(), out.sub(head).data());
                      rotate_hadamard(out.sub(head));
                    });
                  }});
  std::vector<Codebook> books(2);
  for (const GroupAxis axis : {GroupAxis::channel, GroupAxis::token}) {
    const std::string side = axis == GroupAxis::token ? "values" : "keys";
    Codebook& book = books[axis == GroupAxis::token ? 1 : 0];
    book = calibrate_codebook({.axis = axis}, in, kTokens);
    rows.push_back({"codebook of 4 bits, " + side, [&, axis] {
                      quantize_by_codebook({.axis = axis}, book, in, all, {out.view()});
                    }});
    rows.push_back({"calibration, " + side,
                    [&, axis] { book = calibrate_codebook({.axis = axis}, in, kTokens); }});
  }

  for (int round = 0; round < kRounds; ++round) {
    for (Row& row : rows) {
      const Stopwatch watch;
      row.body();
      row.seconds.push_back(watch.seconds());
    }
  }
  // Read once and written once.
  const double bytes = 2.0 * sizeof(float) * static_cast<double>(input.size());
  double first = 0;
  std::printf("%d threads, %lld tokens\n", thread_count(), static_cast<long long>(kTokens));
  for (Row& row : rows) {
    std::ranges::sort(row.seconds);
    const double median = row.seconds[kRounds / 2];
    if (first == 0) first = median;
    std::printf("%-40s %7.2f GB/s  %5.2f of the first\n", row.name.c_str(), bytes / median / 1e9,
                first / median);
  }
}

}  // namespace
}  // namespace qaq

int main() {
  qaq::measure();
  return 0;
}
