#pragma once

#include <memory>

#include "core/model/attention_window.h"
#include "gpu/cuda/kernels/replay_error.h"
#include "tests/gpu/cases/check.h"
#include "tests/gpu/cases/quantize_rows.h"

namespace qaq::cases {

/// One layer, some rows of it, and the caches of some plans.
struct ReplayProblem {
  std::int64_t n_heads = 1;
  std::int64_t n_kv_heads = 1;
  std::int64_t n_tokens = 1;
  std::int64_t head_dim = 4;
  std::vector<std::int32_t> positions;
  std::int64_t prefix = 1;
  std::int64_t window = 0;
  std::int64_t n_plans = 1;
  bool given = false;  ///< exact scores are captured ones
  double noise = 0.1;  ///< what quantizing does, over the deviation of keys and values

  std::vector<float> query = {};            ///< (n_heads, n_rows, D)
  std::vector<float> key = {}, value = {};  ///< (n_kv_heads, T, D)
  std::vector<std::vector<float>> new_key = {}, new_value = {};
  std::vector<float> scores = {};  ///< (n_heads, n_rows, T)

  std::int64_t n_rows() const { return std::ssize(positions); }
  std::int64_t stride() const { return (head_dim + 3) / 4 * 4; }
};

/// Scores of one row in float64; zero where a key is not seen.
inline std::vector<double> exact_scores(const ReplayProblem& p, const std::vector<float>& keys,
                                        std::int64_t head, std::int64_t row) {
  const std::int64_t n_keys = p.positions[static_cast<std::size_t>(row)] + 1;
  const std::int64_t kv_head = head / (p.n_heads / p.n_kv_heads);
  const float* query = p.query.data() + (head * p.n_rows() + row) * p.head_dim;
  std::vector<double> scores(static_cast<std::size_t>(p.n_tokens));
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (std::int64_t key = first_key_seen(n_keys, p.window); key < n_keys; ++key) {
    double& score = scores[static_cast<std::size_t>(key)];
    const float* k = keys.data() + (kv_head * p.n_tokens + key) * p.head_dim;
    for (std::int64_t c = 0; c < p.head_dim; ++c) score += double{query[c]} * double{k[c]};
    score /= std::sqrt(static_cast<double>(p.head_dim));
    largest = std::max(largest, score);
  }
  for (std::int64_t key = first_key_seen(n_keys, p.window); key < n_keys; ++key) {
    double& score = scores[static_cast<std::size_t>(key)];
    score = std::exp(score - largest);
    sum += score;
  }
  for (double& score : scores) score /= sum;
  return scores;
}

inline std::vector<double> mixed_values(const ReplayProblem& p, const std::vector<float>& values,
                                        std::int64_t head, const std::vector<double>& scores) {
  const std::int64_t kv_head = head / (p.n_heads / p.n_kv_heads);
  std::vector<double> out(static_cast<std::size_t>(p.head_dim));
  for (std::int64_t key = 0; key < p.n_tokens; ++key) {
    const float* v = values.data() + (kv_head * p.n_tokens + key) * p.head_dim;
    for (std::int64_t c = 0; c < p.head_dim; ++c) {
      out[static_cast<std::size_t>(c)] += scores[static_cast<std::size_t>(key)] * double{v[c]};
    }
  }
  return out;
}

inline ReplayProblem replay_problem(ReplayProblem p) {
  Numbers numbers(17);
  const std::int64_t n_cache = p.n_kv_heads * p.n_tokens * p.head_dim;
  p.query = numbers.bells(p.n_heads * p.n_rows() * p.head_dim, 2);
  p.key = numbers.bells(n_cache);
  p.value = numbers.bells(n_cache);
  const auto near = [&](std::vector<float> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto token = static_cast<std::int64_t>(i) / p.head_dim % p.n_tokens;
      if (token < p.prefix) values[i] += numbers.bell(p.noise);
    }
    return values;
  };
  for (std::int64_t plan = 0; plan < p.n_plans; ++plan) {
    p.new_key.push_back(near(p.key));
    p.new_value.push_back(near(p.value));
  }
  if (!p.given) return p;
  for (std::int64_t head = 0; head < p.n_heads; ++head) {
    for (std::int64_t row = 0; row < p.n_rows(); ++row) {
      for (const double s : exact_scores(p, p.key, head, row)) {
        p.scores.push_back(static_cast<float>(s));
      }
    }
  }
  return p;
}

/// What one plan does to one row, in float64.
struct RowErrorSums {
  double attention = 0, prefix_attention = 0, output = 0;
  double scores = 0;  ///< length of S
  double values = 0;  ///< length of X with every term's magnitude, over sqrt(D)
};

inline RowErrorSums exact_row_errors(const ReplayProblem& p, std::int64_t plan, std::int64_t head,
                                     std::int64_t row) {
  const auto i = static_cast<std::size_t>(plan);
  std::vector<double> before = exact_scores(p, p.key, head, row);
  if (p.given) {
    const float* s = p.scores.data() + (head * p.n_rows() + row) * p.n_tokens;
    before.assign(s, s + p.n_tokens);
  }
  const std::vector<double> after = exact_scores(p, p.new_key[i], head, row);
  RowErrorSums out;
  for (std::size_t key = 0; key < before.size(); ++key) {
    const double change = (after[key] - before[key]) * (after[key] - before[key]);
    out.attention += change;
    if (static_cast<std::int64_t>(key) < p.prefix) out.prefix_attention += change;
    out.scores += after[key] * after[key];
  }
  out.scores = std::sqrt(out.scores);
  const std::vector<double> x = mixed_values(p, p.value, head, before),
                            y = mixed_values(p, p.new_value[i], head, after);
  std::vector<float> magnitudes = p.new_value[i];
  for (float& v : magnitudes) v = std::abs(v);
  const std::vector<double> terms = mixed_values(p, magnitudes, head, after);
  for (std::size_t c = 0; c < x.size(); ++c) {
    out.output += (y[c] - x[c]) * (y[c] - x[c]);
    out.values += terms[c] * terms[c];
  }
  out.output /= static_cast<double>(p.head_dim);
  out.values = std::sqrt(out.values / static_cast<double>(p.head_dim));
  return out;
}

/// How far the root of a sum of squared changes is off, over the length of what changes: rounding
/// of scores adds to each change, so that it is a share of these and not of the changes.
inline void add_root(Worst& worst, double got, double want, double length) {
  worst.add(std::sqrt(got), std::sqrt(want), length);
}

/// Errors of all rows, (n_plans, n_heads, n_rows) each.
struct ReplayedRows {
  std::vector<double> attention, prefix_attention, output;
};

inline ReplayedRows run_replay(const ReplayProblem& p) {
  const std::int64_t n_rows = p.n_rows();
  const auto padded = [&](const std::vector<float>& rows) {
    return with_stride(rows, p.head_dim, p.stride());
  };
  const DeviceArray<float> query(padded(p.query)), key(padded(p.key)), value(padded(p.value)),
      scores(p.scores);
  const DeviceArray<std::int32_t> positions(p.positions);
  const DeviceArray<float> output = unwritten(p.n_heads * n_rows * p.stride());
  const DeviceArray<cuda::RowSoftmax> softmax = unwritten<cuda::RowSoftmax>(p.n_heads * n_rows);
  const std::int64_t n = p.n_plans * p.n_heads * n_rows;
  const DeviceArray<double> attention = unwritten<double>(n), inside = unwritten<double>(n),
                            change = unwritten<double>(n);
  cuda::ReplayCall call{.query = query.data(),
                        .positions = positions.data(),
                        .scores = p.given ? scores.data() : nullptr,
                        .exact = {p.given ? nullptr : key.data(), value.data()},
                        .softmax = p.given ? nullptr : softmax.data(),
                        .output = output.data(),
                        .attention = attention.data(),
                        .prefix_attention = inside.data(),
                        .output_error = change.data(),
                        .n_plans = p.n_plans,
                        .n_heads = p.n_heads,
                        .n_kv_heads = p.n_kv_heads,
                        .n_rows = n_rows,
                        .n_tokens = p.n_tokens,
                        .head_dim = p.head_dim,
                        .stride = p.stride(),
                        .prefix = p.prefix,
                        .window = p.window};
  std::vector<std::unique_ptr<DeviceArray<float>>> caches;
  for (std::size_t i = 0; i < static_cast<std::size_t>(p.n_plans); ++i) {
    caches.push_back(std::make_unique<DeviceArray<float>>(padded(p.new_key[i])));
    caches.push_back(std::make_unique<DeviceArray<float>>(padded(p.new_value[i])));
    call.plans[i] = {caches[2 * i]->data(), caches[2 * i + 1]->data()};
  }
  require(cuda::replay_exact(call, nullptr), "replay_exact");
  require(cuda::replay_error(call, nullptr), "replay_error");

  return {attention.host(), inside.host(), change.host()};
}

inline std::string replay_shape(const ReplayProblem& p) {
  return shape_text({{"H", p.n_heads},
                     {"KV", p.n_kv_heads},
                     {"rows", p.n_rows()},
                     {"T", p.n_tokens},
                     {"D", p.head_dim},
                     {"prefix", p.prefix},
                     {"window", p.window},
                     {"plans", p.n_plans}});
}

inline CaseRow replay_error_case(const ReplayProblem& p) {
  Worst worst;
  const ReplayedRows got = run_replay(p);
  std::size_t i = 0;
  for (std::int64_t plan = 0; plan < p.n_plans; ++plan) {
    for (std::int64_t head = 0; head < p.n_heads; ++head) {
      for (std::int64_t row = 0; row < p.n_rows(); ++row, ++i) {
        const RowErrorSums want = exact_row_errors(p, plan, head, row);
        add_root(worst, got.attention[i], want.attention, want.scores);
        add_root(worst, got.prefix_attention[i], want.prefix_attention, want.scores);
        add_root(worst, got.output[i], want.output, want.values);
      }
    }
  }
  return {p.given ? "replay_error, given scores" : "replay_error", replay_shape(p), worst.value(),
          2e-6, digest_of(got.output, digest_of(got.prefix_attention, digest_of(got.attention)))};
}

/// Positions [first, end).
inline std::vector<std::int32_t> rows_from(std::int32_t first, std::int32_t end) {
  std::vector<std::int32_t> out;
  for (std::int32_t i = first; i < end; ++i) out.push_back(i);
  return out;
}

/// Row `row` and plan `plan` of a problem alone.
inline ReplayProblem one_row_of(const ReplayProblem& p, std::int64_t plan, std::int64_t row) {
  ReplayProblem out = p;
  out.positions = {p.positions[static_cast<std::size_t>(row)]};
  out.n_plans = 1;
  out.new_key = {p.new_key[static_cast<std::size_t>(plan)]};
  out.new_value = {p.new_value[static_cast<std::size_t>(plan)]};
  const auto take = [&](std::vector<float>& to, const std::vector<float>& from, std::int64_t size) {
    to.clear();
    for (std::int64_t head = 0; head < p.n_heads && !from.empty(); ++head) {
      const auto first = from.begin() + (head * p.n_rows() + row) * size;
      to.insert(to.end(), first, first + size);
    }
  };
  take(out.query, p.query, p.head_dim);
  take(out.scores, p.scores, p.n_tokens);
  return out;
}

/// Counts rows that have other bytes alone than among other rows and plans.
inline CaseRow replay_alone_case(const ReplayProblem& p) {
  const ReplayedRows all = run_replay(p);
  double n = 0;
  for (std::int64_t plan = 0; plan < p.n_plans; ++plan) {
    for (std::int64_t row = 0; row < p.n_rows(); row += 13) {
      const ReplayedRows alone = run_replay(one_row_of(p, plan, row));
      for (std::int64_t head = 0; head < p.n_heads; ++head) {
        const auto i = static_cast<std::size_t>((plan * p.n_heads + head) * p.n_rows() + row);
        const auto j = static_cast<std::size_t>(head);
        n += same_bytes(all.attention[i], alone.attention[j]) &&
                     same_bytes(all.prefix_attention[i], alone.prefix_attention[j]) &&
                     same_bytes(all.output[i], alone.output[j])
                 ? 0
                 : 1;
      }
    }
  }
  return {"replay_error, alone", replay_shape(p), n, 0, digest_of(all.attention)};
}

inline std::vector<CaseRow> check_replay_error(bool small) {
  require(cuda::replay_exact({}, nullptr), "replay_exact of no rows");
  require(cuda::replay_error({}, nullptr), "replay_error of no rows");
  std::vector<CaseRow> rows;
  const auto check = [&](ReplayProblem p) {
    for (const bool given : {false, true}) {
      p.given = given;
      rows.push_back(replay_error_case(replay_problem(p)));
    }
  };
  check({.positions = {0}});
  check({.n_tokens = 65, .head_dim = 16, .positions = rows_from(0, 65), .prefix = 65});
  check({.n_heads = 3,
         .n_kv_heads = 1,
         .n_tokens = 70,
         .head_dim = 24,
         .positions = rows_from(37, 70),
         .prefix = 40,
         .n_plans = 2});
  check({.n_heads = 4,
         .n_kv_heads = 2,
         .n_tokens = 140,
         .head_dim = 10,
         .positions = {2, 63, 64, 100, 139},
         .prefix = 129,
         .window = 8});
  check({.n_tokens = 130,
         .head_dim = 80,
         .positions = {127, 128, 129},
         .prefix = 100,
         .window = 65,
         .noise = 1e-3});
  check({.n_tokens = 67, .head_dim = 128, .positions = {3, 66}, .prefix = 64});
  check({.n_tokens = 66, .head_dim = 256, .positions = {64, 65}, .prefix = 66, .n_plans = 2});
  rows.push_back(replay_alone_case(replay_problem({.n_tokens = 70,
                                                   .head_dim = 16,
                                                   .positions = rows_from(35, 70),
                                                   .prefix = 60,
                                                   .window = 30,
                                                   .n_plans = 2})));
  if (!small) {
    check({.n_heads = 4,
           .n_kv_heads = 2,
           .n_tokens = 1024,
           .head_dim = 128,
           .positions = rows_from(900, 1024),
           .prefix = 1000,
           .n_plans = 4});
    check({.n_heads = 2,
           .n_kv_heads = 1,
           .n_tokens = 4096,
           .head_dim = 64,
           .positions = rows_from(4060, 4096),
           .prefix = 4096,
           .n_plans = 16});
  }
  return rows;
}

}  // namespace qaq::cases
