#pragma once

#include "gpu/cuda/kernels/attention.h"
#include "gpu/cuda/kernels/triangle.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

struct AttentionProblem {
  std::int64_t n_heads = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t first_position = 0;
  std::int64_t n_rows = 0;
  std::int64_t window = 0;
  double spread = 1;  ///< of the queries
  std::vector<float> query = {}, key = {}, value = {};

  std::int64_t n_keys() const { return first_position + n_rows; }
  std::int64_t query_stride() const { return n_rows + 1; }
  std::int64_t cache_stride() const { return n_keys() + 2; }
  /// Where the scores of a row begin in a head's slab; of row n_rows: what a slab takes.
  std::int64_t scores_before(std::int64_t row) const {
    return cuda::triangle_size(first_position, row);
  }
  std::string shape() const {
    return shape_text({{"T", n_rows},
                       {"from", first_position},
                       {"heads", n_heads},
                       {"kv", n_kv_heads},
                       {"D", head_dim},
                       {"window", window}});
  }
};

struct Attended {
  std::vector<float> out;     ///< (n_rows, n_heads * head_dim)
  std::vector<float> scores;  ///< n_heads slabs of rows as in triangle.h, or none
};

/// What lies behind the last row and key is NaN.
inline AttentionProblem attention_problem(AttentionProblem p) {
  Numbers numbers(7);
  const auto fill = [&](std::int64_t n_heads, std::int64_t stride, std::int64_t n, double spread) {
    std::vector<float> out(static_cast<std::size_t>(n_heads * stride * p.head_dim),
                           std::numeric_limits<float>::quiet_NaN());
    for (std::int64_t head = 0; head < n_heads; ++head) {
      for (std::int64_t i = 0; i < n * p.head_dim; ++i) {
        out[static_cast<std::size_t>(head * stride * p.head_dim + i)] = numbers.bell(spread);
      }
    }
    return out;
  };
  p.query = fill(p.n_heads, p.query_stride(), p.n_rows, p.spread);
  p.key = fill(p.n_kv_heads, p.cache_stride(), p.n_keys(), 1);
  p.value = fill(p.n_kv_heads, p.cache_stride(), p.n_keys(), 1);
  return p;
}

/// Parts of so many heads and rows, one after the other.
inline Attended run_attention(const AttentionProblem& p, std::int64_t part_heads,
                              std::int64_t part_rows, bool scores) {
  const DeviceArray<float> query(p.query), key(p.key), value(p.value);
  const DeviceArray<float> out = unwritten(p.n_rows * p.n_heads * p.head_dim);
  const cuda::AttentionCall call{.query = query.data(),
                                 .key = key.data(),
                                 .value = value.data(),
                                 .out = out.data(),
                                 .query_stride = p.query_stride(),
                                 .cache_stride = p.cache_stride(),
                                 .n_heads = p.n_heads,
                                 .n_kv_heads = p.n_kv_heads,
                                 .head_dim = p.head_dim,
                                 .first_position = p.first_position,
                                 .n_rows = p.n_rows,
                                 .window = p.window};
  Attended result;
  const std::int64_t slab = p.scores_before(p.n_rows);
  if (scores) result.scores.resize(static_cast<std::size_t>(p.n_heads * slab));
  for (std::int64_t head = 0; head < p.n_heads; head += part_heads) {
    for (std::int64_t row = 0; row < p.n_rows; row += part_rows) {
      const cuda::AttentionPart part{head, std::min(part_heads, p.n_heads - head), row,
                                     std::min(part_rows, p.n_rows - row)};
      const std::int64_t n = p.scores_before(row + part.n_rows) - p.scores_before(row);
      const DeviceArray<float> block = unwritten(scores ? part.n_heads * n : 0);
      require(cuda::attention(call, part, scores ? block.data() : nullptr, nullptr), "attention");
      const std::vector<float> numbers = block.host();
      for (std::int64_t i = 0; scores && i < part.n_heads; ++i) {
        std::copy_n(numbers.begin() + i * n, n,
                    result.scores.begin() + (head + i) * slab + p.scores_before(row));
      }
    }
  }
  result.out = out.host();
  return result;
}

/// Probabilities of one row in double, zero where it does not see.
inline std::vector<double> attention_reference(const AttentionProblem& p, std::int64_t head,
                                               std::int64_t row) {
  const std::int64_t position = p.first_position + row, d = p.head_dim;
  const std::int64_t first = p.window > 0 ? std::max<std::int64_t>(0, position + 1 - p.window) : 0;
  const std::int64_t kv_head = head / (p.n_heads / p.n_kv_heads);
  const float* query = p.query.data() + (head * p.query_stride() + row) * d;
  std::vector<double> out(static_cast<std::size_t>(p.n_keys()));
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (std::int64_t k = first; k <= position; ++k) {
    const float* key = p.key.data() + (kv_head * p.cache_stride() + k) * d;
    double dot = 0;
    for (std::int64_t c = 0; c < d; ++c) dot += static_cast<double>(query[c]) * key[c];
    out[static_cast<std::size_t>(k)] = dot / std::sqrt(static_cast<double>(d));
    largest = std::max(largest, out[static_cast<std::size_t>(k)]);
  }
  for (std::int64_t k = first; k <= position; ++k) {
    double& x = out[static_cast<std::size_t>(k)];
    x = std::exp(x - largest);
    sum += x;
  }
  for (double& x : out) x /= sum;
  return out;
}

/// A row's result in double, from its probabilities.
struct AttentionRow {
  std::vector<double> values, terms;  ///< (head_dim); terms: sums of the absolute terms
};

inline AttentionRow mixed_reference(const AttentionProblem& p, std::int64_t head,
                                    const std::vector<double>& probabilities) {
  const auto d = static_cast<std::size_t>(p.head_dim);
  const std::int64_t kv_head = head / (p.n_heads / p.n_kv_heads);
  AttentionRow row{std::vector<double>(d), std::vector<double>(d)};
  for (std::int64_t k = 0; k < p.n_keys(); ++k) {
    const double weight = probabilities[static_cast<std::size_t>(k)];
    if (weight == 0) continue;
    const float* value = p.value.data() + (kv_head * p.cache_stride() + k) * p.head_dim;
    for (std::size_t c = 0; c < d; ++c) {
      row.values[c] += weight * value[c];
      row.terms[c] += std::abs(weight * value[c]);
    }
  }
  return row;
}

/// Errors of scores, of the sums of their rows, and how many that a row does not see, or of the
/// padding, are not zero.
class ScoreErrors {
 public:
  void add(const AttentionProblem& p, const std::vector<float>& got, std::int64_t head,
           std::int64_t row, const std::vector<double>& want) {
    const float* probability = got.data() + head * p.scores_before(p.n_rows) + p.scores_before(row);
    const std::int64_t n = p.scores_before(row + 1) - p.scores_before(row);
    double sum = 0;
    for (std::int64_t k = 0; k < n; ++k) {
      const std::int64_t back = p.first_position + row - k;
      if (back < 0 || (p.window > 0 && back >= p.window)) {
        n_outside_ += same_bytes(probability[k], 0.0f) ? 0 : 1;
        continue;
      }
      sum += probability[k];
      scores_.add(probability[k], want[static_cast<std::size_t>(k)], 1);
    }
    sums_.add(sum, 1, 1);
  }
  /// `bound`: of one score. The rows get the digest of the one before them.
  void report(const std::string& name, double bound, std::vector<CaseRow>& rows) const {
    const CaseRow first = rows.back();
    rows.push_back({name + ", scores", first.shape, scores_.value(), bound, first.digest});
    rows.push_back({name + ", sum of a row", first.shape, sums_.value(), 2e-6, first.digest});
    rows.push_back({name + ", zero outside", first.shape, n_outside_, 0, first.digest});
  }

 private:
  Worst scores_, sums_;
  double n_outside_ = 0;
};

inline std::vector<CaseRow> attention_cases(const AttentionProblem& p) {
  const Attended got = run_attention(p, p.n_heads, p.n_rows, true);
  Worst out;
  ScoreErrors scores;
  for (std::int64_t head = 0; head < p.n_heads; ++head) {
    for (std::int64_t row = 0; row < p.n_rows; ++row) {
      const std::vector<double> want = attention_reference(p, head, row);
      scores.add(p, got.scores, head, row, want);
      const AttentionRow mixed = mixed_reference(p, head, want);
      for (std::size_t c = 0; c < mixed.values.size(); ++c) {
        out.add(got.out[static_cast<std::size_t>((row * p.n_heads + head) * p.head_dim) + c],
                mixed.values[c], mixed.terms[c]);
      }
    }
  }
  const std::uint64_t digest = digest_of(got.out, digest_of(got.scores));
  std::vector<CaseRow> rows{{"attention", p.shape(), out.value(), 2e-6, digest}};
  scores.report("attention", 2e-6, rows);
  return rows;
}

/// Numbers of all rows but the last that change when the last key and value, which they do not see,
/// are NaN.
inline double n_reached_by_the_last_key(const AttentionProblem& p, const std::vector<float>& out) {
  AttentionProblem spoiled = p;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::int64_t head = 0; head < p.n_kv_heads; ++head) {
    const std::int64_t last = (head * p.cache_stride() + p.n_keys() - 1) * p.head_dim;
    std::fill_n(spoiled.key.begin() + last, p.head_dim, nan);
    std::fill_n(spoiled.value.begin() + last, p.head_dim, nan);
  }
  const std::vector<float> got = run_attention(spoiled, p.n_heads, p.n_rows, false).out;
  const std::int64_t n_before = (p.n_rows - 1) * p.n_heads * p.head_dim;
  return n_different({got.begin(), got.begin() + n_before}, {out.begin(), out.begin() + n_before});
}

/// Every way to cut a call into parts, with scores and without, gives the same bytes, and so does
/// the last row as a call of its own. What a row does not see does not reach it.
inline CaseRow attention_parts_case(const AttentionProblem& p) {
  const Attended whole = run_attention(p, p.n_heads, p.n_rows, true);
  double n = n_different(whole.out, run_attention(p, p.n_heads, p.n_rows, false).out);
  for (const auto& [heads, rows] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {2, 3}, {1, 11}}) {
    const Attended parts = run_attention(p, heads, rows, true);
    n += n_different(whole.out, parts.out) + n_different(whole.scores, parts.scores);
  }
  AttentionProblem one = p;
  one.first_position = p.n_keys() - 1;
  one.n_rows = 1;
  one.query.clear();
  for (std::int64_t head = 0; head < p.n_heads; ++head) {
    const auto last = p.query.begin() + (head * p.query_stride() + p.n_rows - 1) * p.head_dim;
    // Itself, and the row behind it that nobody reads.
    one.query.insert(one.query.end(), last, last + 2 * p.head_dim);
  }
  const Attended alone = run_attention(one, one.n_heads, 1, true);
  n += n_different(alone.out, {whole.out.end() - p.n_heads * p.head_dim, whole.out.end()});
  n += n_reached_by_the_last_key(p, whole.out);
  return {"attention, parts", p.shape(), n, 0, digest_of(whole.out)};
}

inline std::vector<CaseRow> check_attention(bool small) {
  require(cuda::attention({}, {}, nullptr, nullptr), "attention of an empty part");
  std::vector<CaseRow> rows;
  const auto check = [&](const AttentionProblem& p) {
    for (CaseRow& row : attention_cases(attention_problem(p))) rows.push_back(std::move(row));
  };
  check({.n_heads = 1, .n_kv_heads = 1, .head_dim = 24, .n_rows = 1});
  check({.n_heads = 3, .n_kv_heads = 1, .head_dim = 24, .n_rows = 63});
  check({.n_heads = 8, .n_kv_heads = 2, .head_dim = 80, .first_position = 60, .n_rows = 5});
  check({.n_heads = 2, .n_kv_heads = 2, .head_dim = 128, .n_rows = 65, .spread = 2});
  check({.n_heads = 1, .n_kv_heads = 1, .head_dim = 64, .n_rows = 257});
  check({.n_heads = 2, .n_kv_heads = 1, .head_dim = 24, .n_rows = 65, .window = 8});
  check({.n_heads = 1,
         .n_kv_heads = 1,
         .head_dim = 80,
         .first_position = 190,
         .n_rows = 9,
         .window = 64});
  check({.n_heads = 8, .n_kv_heads = 1, .head_dim = 64, .first_position = 256, .n_rows = 1});
  check({.n_heads = 2, .n_kv_heads = 1, .head_dim = 256, .first_position = 3, .n_rows = 9});
  check({.n_heads = 1, .n_kv_heads = 1, .head_dim = 46, .n_rows = 10});  // no 16-byte loads
  rows.push_back(attention_parts_case(attention_problem(
      {.n_heads = 3, .n_kv_heads = 1, .head_dim = 24, .first_position = 50, .n_rows = 29})));
  // The last block of rows begins just before the end of a tile of keys.
  rows.push_back(attention_parts_case(attention_problem(
      {.n_heads = 4, .n_kv_heads = 2, .head_dim = 24, .first_position = 54, .n_rows = 10})));
  rows.push_back(attention_parts_case(attention_problem({.n_heads = 2,
                                                         .n_kv_heads = 1,
                                                         .head_dim = 132,
                                                         .first_position = 119,
                                                         .n_rows = 13,
                                                         .window = 8})));
  if (!small) {
    check({.n_heads = 8, .n_kv_heads = 2, .head_dim = 128, .n_rows = 1025});
    check({.n_heads = 4, .n_kv_heads = 1, .head_dim = 128, .first_position = 4095, .n_rows = 1});
    rows.push_back(attention_parts_case(attention_problem(
        {.n_heads = 4, .n_kv_heads = 4, .head_dim = 128, .first_position = 1000, .n_rows = 257})));
  }
  return rows;
}

}  // namespace qaq::cases
