#pragma once

#include <span>

#include "core/tensor/logits_summary.h"
#include "gpu/cuda/kernels/logits_top.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

struct LogitsProblem {
  std::int64_t n_rows = 0;
  std::int64_t vocab_size = 0;
  std::int64_t k = 0;
  std::string what = {};  ///< of the numbers
  std::vector<float> logits = {};

  std::int64_t n_top() const { return std::min(k, vocab_size); }
  const float* row(std::int64_t i) const { return logits.data() + i * vocab_size; }
};

inline LogitsProblem logits_problem(std::int64_t n_rows, std::int64_t vocab_size, std::int64_t k) {
  LogitsProblem p{.n_rows = n_rows, .vocab_size = vocab_size, .k = k, .what = "bells"};
  p.logits = Numbers(31).bells(n_rows * vocab_size, 3);
  return p;
}

/// One row whose numbers number_of(id) gives.
template <class NumberOf>
LogitsProblem logits_row(const char* what, std::int64_t vocab_size, std::int64_t k,
                         NumberOf number_of) {
  LogitsProblem p{.n_rows = 1, .vocab_size = vocab_size, .k = k, .what = what};
  for (std::int64_t id = 0; id < vocab_size; ++id) {
    p.logits.push_back(static_cast<float>(number_of(id)));
  }
  return p;
}

struct TopLogits {
  std::vector<std::int32_t> argmax, topk_ids;
  std::vector<float> argmax_logit, logsumexp, topk_logits;
  std::int64_t first_bad = 0;
};

constexpr std::int64_t kNoneBad = std::numeric_limits<std::int64_t>::max();

/// `shift`: numbers that the logits lie behind a 256-byte boundary.
inline TopLogits run_logits_top(const LogitsProblem& p, std::size_t shift = 0) {
  DeviceArray<float> logits(p.logits.size() + shift);
  logits.set(p.logits, shift);
  const DeviceArray<std::int64_t> first_bad(std::vector<std::int64_t>{kNoneBad});
  const auto argmax = unwritten<std::int32_t>(p.n_rows);
  const auto topk_ids = unwritten<std::int32_t>(p.n_rows * p.n_top());
  const DeviceArray<float> argmax_logit = unwritten(p.n_rows), logsumexp = unwritten(p.n_rows);
  const DeviceArray<float> topk_logits = unwritten(p.n_rows * p.n_top());
  require(cuda::logits_top({.logits = logits.data() + shift,
                            .argmax = argmax.data(),
                            .argmax_logit = argmax_logit.data(),
                            .logsumexp = logsumexp.data(),
                            .topk_ids = topk_ids.data(),
                            .topk_logits = topk_logits.data(),
                            .first_bad = first_bad.data(),
                            .n_rows = p.n_rows,
                            .vocab_size = p.vocab_size,
                            .k = p.k},
                           nullptr),
          "logits_top");
  return {.argmax = argmax.host(),
          .topk_ids = topk_ids.host(),
          .argmax_logit = argmax_logit.host(),
          .logsumexp = logsumexp.host(),
          .topk_logits = topk_logits.host(),
          .first_bad = first_bad.host()[0]};
}

inline std::uint64_t digest_of(const TopLogits& top) {
  std::uint64_t digest = digest_of(top.topk_logits, digest_of(top.topk_ids));
  digest = digest_of(top.argmax_logit, digest_of(top.argmax, digest));
  return digest_of(top.logsumexp, digest);
}

inline std::string logits_shape(const LogitsProblem& p) {
  return shape_text({{"T", p.n_rows}, {"vocab", p.vocab_size}, {"k", p.k}}) + ", " + p.what;
}

/// Row by row what core keeps, logsumexp left out.
inline TopLogits core_top(const LogitsProblem& p) {
  TopLogits want;
  for (std::int64_t i = 0; i < p.n_rows; ++i) {
    const LogitsSummary summary =
        summarize_logits({p.row(i), static_cast<std::size_t>(p.vocab_size)}, p.k);
    want.argmax.push_back(summary.argmax);
    want.argmax_logit.push_back(summary.argmax_logit);
    want.topk_ids.insert(want.topk_ids.end(), summary.topk_ids.begin(), summary.topk_ids.end());
    want.topk_logits.insert(want.topk_logits.end(), summary.topk_logits.begin(),
                            summary.topk_logits.end());
  }
  return want;
}

/// Numbers of two results that differ; logsumexp left out.
inline double n_different(const TopLogits& a, const TopLogits& b) {
  return n_different(a.argmax, b.argmax) + n_different(a.argmax_logit, b.argmax_logit) +
         n_different(a.topk_ids, b.topk_ids) + n_different(a.topk_logits, b.topk_logits);
}

/// logsumexp against float64. Terms: the largest logit, and the logarithm of the sum behind it.
inline double logsumexp_error(const LogitsProblem& p, const std::vector<float>& got) {
  Worst worst;
  for (std::int64_t i = 0; i < p.n_rows; ++i) {
    const std::span row(p.row(i), static_cast<std::size_t>(p.vocab_size));
    const double largest = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (const float x : row) sum += std::exp(x - largest);
    worst.add(got[static_cast<std::size_t>(i)], largest + std::log(sum),
              std::abs(largest) + std::log(sum));
  }
  return worst.value();
}

/// Ids and logits are core's, the sum is right, and nothing is found bad.
inline std::vector<CaseRow> logits_top_cases(const LogitsProblem& p) {
  const TopLogits got = run_logits_top(p);
  const double n = n_different(got, core_top(p)) + (got.first_bad == kNoneBad ? 0 : 1);
  const std::string shape = logits_shape(p);
  return {{"logits_top", shape, n, 0, digest_of(got)},
          {"logits_top, logsumexp", shape, logsumexp_error(p, got.logsumexp), 1e-6,
           digest_of(got.logsumexp)}};
}

/// Rows alone, and from addresses that allow no 16-byte loads, give the bytes of the batch.
inline CaseRow logits_top_batch_case(const LogitsProblem& p) {
  const TopLogits batch = run_logits_top(p), shifted = run_logits_top(p, 1);
  double n = n_different(batch, shifted) + n_different(batch.logsumexp, shifted.logsumexp);
  TopLogits alone;
  for (std::int64_t i = 0; i < p.n_rows; ++i) {
    LogitsProblem one = p;
    one.n_rows = 1;
    one.logits.assign(p.row(i), p.row(i) + p.vocab_size);
    const TopLogits top = run_logits_top(one);
    const auto append = [](auto& to, const auto& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    append(alone.argmax, top.argmax);
    append(alone.argmax_logit, top.argmax_logit);
    append(alone.logsumexp, top.logsumexp);
    append(alone.topk_ids, top.topk_ids);
    append(alone.topk_logits, top.topk_logits);
  }
  n += n_different(batch, alone) + n_different(batch.logsumexp, alone.logsumexp);
  return {"logits_top, alone and shifted", logits_shape(p), n, 0, digest_of(batch)};
}

/// The first number that is NaN or +infinity is told; -infinity is a logit as any.
inline CaseRow logits_top_bad_case(float bad) {
  constexpr std::int64_t kFirst = 2345;
  LogitsProblem p = logits_problem(2, 1501, 4);
  p.what = "bad numbers";
  p.logits[7] = -std::numeric_limits<float>::infinity();
  for (const std::int64_t place : {std::int64_t{2999}, kFirst, std::int64_t{2346}}) {
    p.logits[static_cast<std::size_t>(place)] = bad;
  }
  const TopLogits got = run_logits_top(p);
  // What the row itself gives means nothing: it is not in the digest.
  return {"logits_top, bad numbers", logits_shape(p), got.first_bad == kFirst ? 0.0 : 1.0, 0,
          digest_of(std::vector<std::int64_t>{got.first_bad})};
}

inline std::vector<CaseRow> check_logits_top(bool small) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  require(cuda::logits_top({.vocab_size = 5, .k = 1}, nullptr), "logits_top of no rows");
  std::vector<CaseRow> rows;
  const auto check = [&](const LogitsProblem& p) {
    for (CaseRow& row : logits_top_cases(p)) rows.push_back(std::move(row));
  };
  for (const std::int64_t vocab_size : {1, 2, 63, 65, 513, 2048}) {
    check(logits_problem(1, vocab_size, 10));
  }
  for (const std::int64_t k : {0, 1, 64, 128}) check(logits_problem(1, 4099, k));
  check(logits_problem(3, 100, 128));
  check(logits_problem(1, 32000, 64));
  // Equals: among the last that are kept, more than the candidates' room, all of them, both zeros.
  check(logits_row("many equals", 5000, 64, [](std::int64_t id) { return id * 7919 % 401; }));
  check(logits_row("more equals than room", 6007, 64, [](std::int64_t id) { return id * 31 % 3; }));
  check(logits_row("one above equals", 5000, 2, [](std::int64_t id) { return id == 4711; }));
  check(logits_row("all equal", 3001, 128, [](std::int64_t) { return -2.5; }));
  check(logits_row("zeros", 1500, 64, [](std::int64_t id) { return id % 3 == 0 ? -0.0 : 0.0; }));
  check(logits_row("zeros without room", 2500, 64,
                   [](std::int64_t id) { return id % 3 == 0 ? -0.0 : 0.0; }));
  check(logits_row("the largest in one thread", 20000, 10,
                   [](std::int64_t id) { return id % 2048 < 4 ? 100 + id : -id; }));
  check(logits_row("-infinity but for three", 3000, 8, [](std::int64_t id) {
    return id % 1000 == 999 ? static_cast<float>(-id) : -std::numeric_limits<float>::infinity();
  }));
  check(logits_row("next to each other", 4000, 64, [](std::int64_t id) {
    return std::ldexp(1.0 + std::ldexp(static_cast<double>(id * 1237 % 4000), -23), -100);
  }));
  check(logits_row("large", 3000, 1, [](std::int64_t) { return 1000; }));
  check(
      logits_row("steep", 3000, 1, [](std::int64_t id) { return 0.05 * static_cast<double>(id); }));
  rows.push_back(logits_top_batch_case(logits_problem(2, 2052, 16)));
  for (const float bad : {std::nanf(""), -std::nanf(""), kInfinity}) {
    rows.push_back(logits_top_bad_case(bad));
  }
  if (!small) {
    check(logits_problem(256, 32000, 64));
    check(logits_problem(3, 151936, 64));
    check(logits_row("many equals", 262144, 64, [](std::int64_t id) { return id * 7919 % 401; }));
  }
  return rows;
}

}  // namespace qaq::cases
