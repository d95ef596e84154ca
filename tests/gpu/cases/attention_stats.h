#pragma once

#include "gpu/cuda/kernels/attention_stats.h"
#include "gpu/cuda/kernels/triangle.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

/// Rows of scores of some heads, as slabs.
struct ScoreRows {
  std::int64_t n_heads = 1;
  std::int64_t first_position = 0;
  std::int64_t n_rows = 1;
  std::vector<float> slabs = {};

  std::int64_t n_keys() const { return first_position + n_rows; }
  std::int64_t place(std::int64_t head, std::int64_t position) const {
    return head * cuda::triangle_size(first_position, n_rows) +
           cuda::triangle_size(first_position, position - first_position);
  }
};

/// Steep and even rows, each with the sum 1, and zeros in some.
inline ScoreRows score_rows(std::int64_t n_heads, std::int64_t first_position,
                            std::int64_t n_rows) {
  ScoreRows p{n_heads, first_position, n_rows};
  p.slabs.resize(static_cast<std::size_t>(n_heads * cuda::triangle_size(first_position, n_rows)));
  Numbers numbers(static_cast<std::uint32_t>(first_position * 1000 + n_rows));
  for (std::int64_t head = 0; head < n_heads; ++head) {
    for (std::int64_t position = first_position; position < p.n_keys(); ++position) {
      float* row = p.slabs.data() + p.place(head, position);
      double sum = 0;
      for (std::int64_t key = 0; key <= position; ++key) {
        const bool hidden = key < position && position % 3 == 1 && numbers.uniform() < 0.4;
        row[key] = hidden ? 0.0f : std::exp(numbers.bell(static_cast<double>(position % 5)));
        sum += static_cast<double>(row[key]);
      }
      for (std::int64_t key = 0; key <= position; ++key) {
        row[key] = static_cast<float>(static_cast<double>(row[key]) / sum);
      }
    }
  }
  return p;
}

inline std::vector<float> attention_stats_of(const ScoreRows& p) {
  const DeviceArray<float> scores(p.slabs);
  const DeviceArray<float> stats = unwritten(p.n_heads * (p.n_rows + p.n_keys()));
  cuda::AttentionStatsCall call{.scores = scores.data(),
                                .stats = stats.data(),
                                .n_heads = p.n_heads,
                                .first_position = p.first_position,
                                .n_rows = p.n_rows};
  const DeviceArray<float> workspace = unwritten(cuda::attention_stats_workspace(call));
  call.workspace = workspace.data();
  require(cuda::attention_stats(call, nullptr), "attention_stats");
  return stats.host();
}

/// Against sums in float64. A sum is rounded once; of an entropy the logarithms, the products and
/// the sums over the lanes are float32: ten roundings of half an ulp and one of one.
inline void add_attention_stats_cases(const ScoreRows& p, std::vector<CaseRow>& rows) {
  const std::vector<float> got = attention_stats_of(p);
  Worst entropies, sums;
  for (std::int64_t head = 0; head < p.n_heads; ++head) {
    const float* of_head = got.data() + head * (p.n_rows + p.n_keys());
    std::vector<double> of_key(static_cast<std::size_t>(p.n_keys()));
    for (std::int64_t row = 0; row < p.n_rows; ++row) {
      const std::int64_t position = p.first_position + row;
      const float* scores = p.slabs.data() + p.place(head, position);
      double entropy = 0;
      for (std::int64_t key = 0; key <= position; ++key) {
        const auto score = static_cast<double>(scores[key]);
        if (score > 0) entropy -= score * std::log(score);
        of_key[static_cast<std::size_t>(key)] += score;
      }
      entropies.add(of_head[row], entropy, entropy);
    }
    for (std::int64_t key = 0; key < p.n_keys(); ++key) {
      const double want = of_key[static_cast<std::size_t>(key)];
      sums.add(of_head[p.n_rows + key], want, want);
    }
  }
  const std::string shape =
      shape_text({{"H", p.n_heads}, {"first", p.first_position}, {"rows", p.n_rows}});
  rows.push_back({"attention_stats", "entropies, " + shape, entropies.value(), 7e-7, 0});
  rows.push_back({"attention_stats", "sums, " + shape, sums.value(), 6e-8, digest_of(got)});
}

/// How many rows' entropies are finite and should not be, or the other way round.
inline CaseRow attention_stats_bad_case(float bad) {
  ScoreRows p = score_rows(2, 100, 60);
  p.slabs[static_cast<std::size_t>(p.place(1, 131) + 129)] = bad;
  const std::vector<float> got = attention_stats_of(p);
  double n = 0;
  for (std::int64_t head = 0; head < p.n_heads; ++head) {
    for (std::int64_t row = 0; row < p.n_rows; ++row) {
      const float entropy = got[static_cast<std::size_t>(head * (p.n_rows + p.n_keys()) + row)];
      n += std::isfinite(entropy) == (head == 1 && row == 31) ? 1 : 0;
    }
  }
  return {"attention_stats", "a score that is " + std::to_string(bad), n, 0, 0};
}

inline std::vector<CaseRow> check_attention_stats(bool small) {
  require(cuda::attention_stats({}, nullptr), "attention_stats of nothing");
  std::vector<CaseRow> rows;
  const auto check = [&](std::int64_t n_heads, std::int64_t first_position, std::int64_t n_rows) {
    add_attention_stats_cases(score_rows(n_heads, first_position, n_rows), rows);
  };
  check(1, 0, 1);
  check(3, 0, 5);
  check(2, 0, 128);
  check(1, 0, 131);
  check(2, 127, 2);
  check(1, 126, 1);
  check(3, 250, 37);
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    rows.push_back(attention_stats_bad_case(bad));
  }
  if (!small) {
    check(7, 0, 2048);
    check(2, 4001, 513);
  }
  return rows;
}

}  // namespace qaq::cases
