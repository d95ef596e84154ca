#pragma once

#include "gpu/cuda/kernels/value_mix.h"
#include "tests/gpu/cases/key_scores.h"

namespace qaq::cases {

/// Probabilities of every head, (n_heads, n_tokens): 0 where it does not see, and now and then
/// where it does; with `sink` nearly all of it at the first token.
inline std::vector<float> probabilities(const ScoresCase& c, bool sink) {
  Numbers numbers(53);
  std::vector<float> out;
  for (std::int64_t head = 0; head < c.n_heads(); ++head) {
    std::vector<double> row;
    double sum = 0;
    for (std::int64_t t = 0; t < c.n_tokens(); ++t) {
      double p = std::exp(6 * static_cast<double>(numbers.bell()));
      if (!c.sees(head, t) || t % 7 == 3) p = 0;
      if (sink) p = t == 0 ? 1e7 : p * 1e-9;
      row.push_back(p);
      sum += p;
    }
    for (const double p : row) out.push_back(static_cast<float>(p / sum));
  }
  return out;
}

struct MixedValues {
  std::vector<float> out;
  std::vector<std::uint16_t> rounded;
};

inline MixedValues run_mix(const ScoresCase& c, const std::vector<float>& p, DType rounded) {
  const DeviceArray<float> probability(p);
  const DeviceArray<cuda::CacheLengths> lengths(std::vector<cuda::CacheLengths>{c.lengths()});
  const std::int64_t n = c.n_heads() * c.problem().pages.head_dim;
  const DeviceArray<float> out = unwritten(n);
  const DeviceArray<std::uint16_t> rounded_out = unwritten<std::uint16_t>(n);
  cuda::ValueMixCall call{.cache = c.pages().device().cache()};
  call.first_list = c.first_list();
  call.probability = probability.data();
  call.score_stride = c.n_tokens();
  call.tail = c.tail();
  call.tail_stride = c.n_tokens();
  call.lengths = lengths.data();
  call.out = out.data();
  call.rounded_out = rounded_out.data();
  call.rounded_dtype = rounded;
  call.n_heads = c.n_heads();
  call.max_pages = c.n_pages();
  const DeviceArray<float> workspace = unwritten(cuda::value_mix_workspace(call));
  call.workspace = workspace.data();
  require(cuda::value_mix(call, nullptr), "value_mix");
  return {out.host(), rounded_out.host()};
}

inline CaseRow mix_case(ScoresProblem p, bool sink = false) {
  p.pages.side = cuda::Side::value;
  const ScoresCase c(p, 59);
  const std::vector<float> probability = probabilities(c, sink);
  const DType rounded_to = p.group % 2 == 0 ? DType::f16 : DType::bf16;
  const MixedValues got = run_mix(c, probability, rounded_to);
  Worst worst;
  for (std::int64_t head = 0; head < c.n_heads(); ++head) {
    const float* row = probability.data() + head * c.n_tokens();
    for (std::int64_t d = 0; d < p.pages.head_dim; ++d) {
      double want = 0, terms = 0;
      for (std::int64_t t = 0; t < c.n_tokens(); ++t) {
        if (!c.sees(head, t)) continue;
        want += static_cast<double>(row[t]) * c.row(head, t)[d];
        terms += row[t] * c.size_of(head, t, d);
      }
      const auto at = static_cast<std::size_t>(head * p.pages.head_dim + d);
      worst.add(got.out[at], want, terms);
      const std::uint16_t bits =
          rounded_to == DType::f16 ? half_from_float(got.out[at]) : bf16_from_float(got.out[at]);
      if (got.rounded[at] != bits) worst.add(1, 0, 0);
    }
  }
  return {"value_mix", scores_text(p) + (sink ? ", sink" : ""), worst.value(), 3e-6,
          digest_of(got.out)};
}

inline std::vector<CaseRow> check_value_mix(bool small) {
  require(cuda::value_mix({}, nullptr), "value_mix of no heads");
  std::vector<CaseRow> rows;
  for (const ScoresProblem& p : scores_problems(small)) rows.push_back(mix_case(p));
  PagesShape s{.n_layers = 2, .n_kv_heads = 2, .head_dim = 64, .max_tokens = 60};
  s.dtype = DType::f16;
  s.spec.outliers_ratio = 0.03;
  s.max_bits = 8;
  rows.push_back(mix_case({.pages = s, .n_packed = 59, .most = 8}, true));
  PagesShape wide{.head_dim = 32, .max_tokens = 16};  // one page
  wide.spec.range_rule = RangeRule::midpoint;
  rows.push_back(mix_case({.pages = wide, .n_packed = 16, .least = 5, .most = 5}, true));
  wide.max_tokens = 600;  // more than a block's pages
  rows.push_back(mix_case({.pages = wide, .n_packed = 599, .least = 1, .most = 3}));
  return rows;
}

}  // namespace qaq::cases
