#pragma once

#include "core/tensor/dtype.h"
#include "gpu/cuda/kernels/half_attention.h"
#include "tests/gpu/cases/attention.h"

namespace qaq::cases {

/// An AttentionProblem whose numbers are exact in 16 bits.
struct HalfProblem : AttentionProblem {
  DType dtype = DType::f16;

  std::string half_shape() const { return std::string(name_of(dtype)) + ", " + shape(); }
};

inline HalfProblem half_problem(DType dtype, const AttentionProblem& sizes) {
  HalfProblem p{attention_problem(sizes), dtype};
  for (std::vector<float>* numbers : {&p.query, &p.key, &p.value}) {
    for (float& x : *numbers) x = rounded(x, dtype);
  }
  return p;
}

inline std::vector<std::uint16_t> half_bits(const std::vector<float>& numbers, DType dtype) {
  std::vector<std::uint16_t> bits;
  bits.reserve(numbers.size());
  for (const float x : numbers) {
    bits.push_back(dtype == DType::f16 ? half_from_float(x) : bf16_from_float(x));
  }
  return bits;
}

/// How a problem is handed over.
struct HalfRun {
  bool prefill = false;  ///< attention_prefill however few rows there are
  bool scores = true;
  std::int64_t part_heads = 1 << 20;
  std::int64_t part_rows = 1 << 20;
  std::int64_t max_keys = 0;  ///< not 0: the position is on the device
};

inline Attended run_half(const HalfProblem& p, const HalfRun& run) {
  const DeviceArray<std::uint16_t> query(half_bits(p.query, p.dtype)),
      key(half_bits(p.key, p.dtype)), value(half_bits(p.value, p.dtype)),
      out = unwritten<std::uint16_t>(p.n_rows * p.n_heads * p.head_dim);
  const DeviceArray<std::int64_t> position(std::vector{p.first_position});
  cuda::HalfAttentionCall call{.query = query.data(),
                               .key = key.data(),
                               .value = value.data(),
                               .out = out.data(),
                               .dtype = p.dtype,
                               .query_stride = p.query_stride(),
                               .cache_stride = p.cache_stride(),
                               .n_heads = p.n_heads,
                               .n_kv_heads = p.n_kv_heads,
                               .head_dim = p.head_dim,
                               .first_position = p.first_position,
                               .n_rows = p.n_rows,
                               .window = p.window};
  if (run.max_keys > 0) {
    call.position = position.data();
    call.first_position = -1;  // not looked at
    call.max_keys = run.max_keys;
  }
  const DeviceArray<float> workspace = unwritten(cuda::half_attention_workspace(call));
  call.workspace = workspace.data();

  Attended result;
  const std::int64_t slab = p.scores_before(p.n_rows);
  if (run.scores) result.scores.resize(static_cast<std::size_t>(p.n_heads * slab));
  for (std::int64_t head = 0; head < p.n_heads; head += run.part_heads) {
    for (std::int64_t row = 0; row < p.n_rows; row += run.part_rows) {
      const cuda::AttentionPart part{head, std::min(run.part_heads, p.n_heads - head), row,
                                     std::min(run.part_rows, p.n_rows - row)};
      const std::int64_t n = p.scores_before(row + part.n_rows) - p.scores_before(row);
      const DeviceArray<float> block = unwritten(run.scores ? part.n_heads * n : 0);
      float* const scores = run.scores ? block.data() : nullptr;
      require(run.prefill ? cuda::attention_prefill(call, part, scores, nullptr)
                          : cuda::half_attention(call, part, scores, nullptr),
              "half_attention");
      const std::vector<float> numbers = block.host();
      for (std::int64_t i = 0; run.scores && i < part.n_heads; ++i) {
        std::copy_n(numbers.begin() + i * n, n,
                    result.scores.begin() + (head + i) * slab + p.scores_before(row));
      }
    }
  }
  for (const std::uint16_t bits : out.host()) {
    result.out.push_back(p.dtype == DType::f16 ? float_from_half(bits) : float_from_bf16(bits));
  }
  return result;
}

/// The most that rounding to 16 bits moves a number of this size.
inline double rounding_of(double x, DType dtype) {
  const int smallest = dtype == DType::f16 ? -14 : -126;
  const int exponent = x == 0 ? smallest : std::max(std::ilogb(x), smallest);
  return std::ldexp(1.0, exponent - (dtype == DType::f16 ? 11 : 8));
}

/// Errors of results in 16 bits.
class HalfErrors {
 public:
  void add(double got, double want, double terms, DType dtype) {
    const double error = std::abs(got - want);
    worst_.add(got, want, 1);
    squares_ += error * error;
    largest_ = std::max(largest_, std::abs(want));
    ++n_;
    const double rounding = rounding_of(std::max(std::abs(got), std::abs(want)), dtype);
    // What rounding cannot explain.
    before_rounding_.add(error < rounding ? 0 : error - rounding, 0, terms);
  }
  /// Of the largest result.
  double worst() const { return worst_.value() / std::max(largest_, 1e-35); }
  double rms() const { return std::sqrt(squares_ / n_) / std::max(largest_, 1e-35); }
  /// Of the absolute terms.
  double before_rounding() const { return before_rounding_.value(); }

 private:
  Worst worst_, before_rounding_;
  double squares_ = 0, largest_ = 0, n_ = 0;
};

inline std::vector<CaseRow> half_attention_cases(const HalfProblem& p, bool prefill = false) {
  const Attended got = run_half(p, {.prefill = prefill});
  HalfErrors out;
  ScoreErrors scores;
  for (std::int64_t head = 0; head < p.n_heads; ++head) {
    for (std::int64_t row = 0; row < p.n_rows; ++row) {
      const std::vector<double> want = attention_reference(p, head, row);
      scores.add(p, got.scores, head, row, want);
      const AttentionRow mixed = mixed_reference(p, head, want);
      const float* to = got.out.data() + (row * p.n_heads + head) * p.head_dim;
      for (std::size_t c = 0; c < mixed.values.size(); ++c) {
        out.add(to[c], mixed.values[c], mixed.terms[c], p.dtype);
      }
    }
  }
  const std::uint64_t digest = digest_of(got.out, digest_of(got.scores));
  const double coarser = p.dtype == DType::f16 ? 1 : 8;
  const std::string shape = p.half_shape();
  const bool decode = !prefill && p.n_rows <= cuda::kDecodeRows;
  const std::string name = decode ? "attention_decode" : "attention_prefill";
  std::vector<CaseRow> rows{{name, shape, out.worst(), 2e-3 * coarser, digest},
                            {name + ", rms", shape, out.rms(), 2e-4 * coarser, digest}};
  // Its sums are as good as float32's.
  if (decode) rows.push_back({name + ", sums", shape, out.before_rounding(), 2e-6, digest});
  scores.report(name, 1e-5, rows);
  return rows;
}

/// Rows [first, first + n_rows) as a call of their own. Keys that they do not see are NaN.
inline HalfProblem some_half_rows(const HalfProblem& p, std::int64_t first, std::int64_t n_rows) {
  HalfProblem some = p;
  some.first_position += first;
  some.n_rows = n_rows;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  some.query.clear();
  for (std::int64_t head = 0; head < p.n_heads; ++head) {
    const auto at = p.query.begin() + (head * p.query_stride() + first) * p.head_dim;
    some.query.insert(some.query.end(), at, at + n_rows * p.head_dim);
    some.query.insert(some.query.end(), static_cast<std::size_t>(p.head_dim), nan);
  }
  const std::int64_t first_key =
      p.window > 0 ? std::max<std::int64_t>(0, some.first_position + 1 - p.window) : 0;
  for (auto numbers : {&HalfProblem::key, &HalfProblem::value}) {
    std::vector<float>& to = some.*numbers;
    to.assign(static_cast<std::size_t>(p.n_kv_heads * some.cache_stride() * p.head_dim), nan);
    for (std::int64_t head = 0; head < p.n_kv_heads; ++head) {
      const auto from = (p.*numbers).begin() + head * p.cache_stride() * p.head_dim;
      std::copy(from + first_key * p.head_dim, from + some.n_keys() * p.head_dim,
                to.begin() + (head * some.cache_stride() + first_key) * p.head_dim);
    }
  }
  return some;
}

/// Numbers of rows [first, first + n_rows) that differ when they are a call of their own.
inline double n_different_alone(const HalfProblem& p, const Attended& whole, std::int64_t first,
                                std::int64_t n_rows) {
  const HalfProblem some = some_half_rows(p, first, n_rows);
  const Attended alone = run_half(some, {.max_keys = some.n_keys() + 300});
  const auto out = whole.out.begin() + first * p.n_heads * p.head_dim;
  double n = n_different(alone.out, {out, out + n_rows * p.n_heads * p.head_dim});
  const std::int64_t slab = p.scores_before(first + n_rows) - p.scores_before(first);
  for (std::int64_t head = 0; head < p.n_heads; ++head) {
    const auto scores =
        whole.scores.begin() + head * p.scores_before(p.n_rows) + p.scores_before(first);
    n += n_different({alone.scores.begin() + head * slab, alone.scores.begin() + (head + 1) * slab},
                     {scores, scores + slab});
  }
  return n;
}

/// Parts of every kind, no scores, the position on the device, and rows [first, first + n_rows) as
/// a call of their own, give the bytes of the whole.
inline CaseRow half_parts_case(const HalfProblem& p, std::int64_t first, std::int64_t n_rows) {
  const Attended whole = run_half(p, {});
  double n = n_different(whole.out, run_half(p, {.scores = false}).out);
  for (const HalfRun& run : {HalfRun{.part_heads = 2, .part_rows = p.n_rows / 2 + 1},
                             HalfRun{.part_heads = 1, .max_keys = p.n_keys() + 1}}) {
    const Attended parts = run_half(p, run);
    n += n_different(whole.out, parts.out) + n_different(whole.scores, parts.scores);
  }
  n += n_different_alone(p, whole, first, n_rows);
  return {"half_attention, parts", p.half_shape(), n, 0, digest_of(whole.out)};
}

/// Calls that cannot be, each refused.
inline CaseRow half_refusals_case() {
  float number = 0;
  const cuda::HalfAttentionCall good{.workspace = &number,
                                     .query_stride = 1,
                                     .cache_stride = 1,
                                     .n_heads = 2,
                                     .n_kv_heads = 1,
                                     .head_dim = 16,
                                     .n_rows = 1};
  const auto refused = [](cuda::HalfAttentionCall call, const auto& change) {
    change(call);
    return cuda::half_attention(call, {0, 1, 0, 1}, nullptr, nullptr) == cudaErrorInvalidValue;
  };
  double n = 0;
  n += refused(good, [](auto& call) { call.dtype = DType::f32; }) ? 0 : 1;
  n += refused(good, [](auto& call) { call.head_dim = 257; }) ? 0 : 1;
  n += refused(good, [](auto& call) { call.n_kv_heads = 3; }) ? 0 : 1;
  n += refused(good, [](auto& call) { call.workspace = nullptr; }) ? 0 : 1;
  n += refused(good, [](auto& call) { call.first_position = std::int64_t{1} << 31; }) ? 0 : 1;
  return {"half_attention, refusals", "", n, 0};
}

inline std::vector<CaseRow> check_half_attention(bool small) {
  require(cuda::half_attention({}, {}, nullptr, nullptr), "half_attention of an empty part");
  require(cuda::attention_prefill({}, {}, nullptr, nullptr), "attention_prefill of an empty part");
  std::vector<CaseRow> rows;
  const auto check = [&](DType dtype, const AttentionProblem& sizes, bool prefill = false) {
    for (CaseRow& row : half_attention_cases(half_problem(dtype, sizes), prefill)) {
      rows.push_back(std::move(row));
    }
  };
  const auto parts = [&](DType dtype, const AttentionProblem& sizes, std::int64_t first,
                         std::int64_t n_rows) {
    rows.push_back(half_parts_case(half_problem(dtype, sizes), first, n_rows));
  };
  const DType f16 = DType::f16, bf16 = DType::bf16;
  rows.push_back(half_refusals_case());

  check(f16, {.n_heads = 1, .n_kv_heads = 1, .head_dim = 16, .n_rows = 1}, true);
  check(f16, {.n_heads = 3, .n_kv_heads = 1, .head_dim = 24, .n_rows = 63});
  check(bf16, {.n_heads = 1, .n_kv_heads = 1, .head_dim = 128, .n_rows = 65});
  check(f16, {.n_heads = 1, .n_kv_heads = 1, .head_dim = 64, .n_rows = 257, .spread = 2});
  check(f16, {.n_heads = 4, .n_kv_heads = 1, .head_dim = 80, .first_position = 60, .n_rows = 9});
  check(bf16, {.n_heads = 2, .n_kv_heads = 2, .head_dim = 96, .n_rows = 10, .spread = 40});
  check(f16, {.n_heads = 2, .n_kv_heads = 1, .head_dim = 24, .n_rows = 85, .window = 8});
  check(f16, {.n_heads = 1, .n_kv_heads = 1, .head_dim = 46, .n_rows = 10});  // no 16-byte loads
  check(bf16, {.n_heads = 1,
               .n_kv_heads = 1,
               .head_dim = 64,
               .first_position = 150,
               .n_rows = 9,
               .window = 8});
  check(f16, {.n_heads = 1, .n_kv_heads = 1, .head_dim = 256, .n_rows = 33});
  // A call's rows in blocks of other rows, and behind keys that the window hides.
  parts(f16, {.n_heads = 3, .n_kv_heads = 1, .head_dim = 24, .first_position = 54, .n_rows = 12}, 2,
        9);
  parts(bf16,
        {.n_heads = 1,
         .n_kv_heads = 1,
         .head_dim = 64,
         .first_position = 7,
         .n_rows = 66,
         .window = 20},
        10, 56);

  check(f16, {.n_heads = 1, .n_kv_heads = 1, .head_dim = 16, .n_rows = 1});
  check(f16, {.n_heads = 3, .n_kv_heads = 1, .head_dim = 80, .first_position = 62, .n_rows = 1});
  check(bf16, {.n_heads = 4, .n_kv_heads = 1, .head_dim = 96, .first_position = 64, .n_rows = 1});
  check(f16, {.n_heads = 2, .n_kv_heads = 2, .head_dim = 64, .first_position = 256, .n_rows = 1});
  check(f16, {.n_heads = 8, .n_kv_heads = 1, .head_dim = 128, .first_position = 600, .n_rows = 1});
  check(bf16, {.n_heads = 71, .n_kv_heads = 1, .head_dim = 64, .first_position = 20, .n_rows = 1});
  check(f16, {.n_heads = 1, .n_kv_heads = 1, .head_dim = 46, .first_position = 30, .n_rows = 2});
  check(bf16, {.n_heads = 2, .n_kv_heads = 1, .head_dim = 256, .first_position = 70, .n_rows = 1});
  check(f16, {.n_heads = 2,
              .n_kv_heads = 1,
              .head_dim = 64,
              .first_position = 300,
              .n_rows = 1,
              .spread = 40});
  // Rows on either side of a split's end; the second time behind a window whose first chunk only
  // row 0 reaches.
  parts(f16, {.n_heads = 3, .n_kv_heads = 1, .head_dim = 24, .first_position = 254, .n_rows = 3}, 1,
        1);
  parts(bf16,
        {.n_heads = 2,
         .n_kv_heads = 2,
         .head_dim = 24,
         .first_position = 508,
         .n_rows = 6,
         .window = 94},
        2, 3);
  if (!small) {
    check(f16, {.n_heads = 8, .n_kv_heads = 2, .head_dim = 128, .n_rows = 1025});
    check(bf16, {.n_heads = 2, .n_kv_heads = 2, .head_dim = 96, .n_rows = 1000, .window = 200});
    check(f16,
          {.n_heads = 4, .n_kv_heads = 4, .head_dim = 128, .first_position = 4095, .n_rows = 1});
    check(bf16,
          {.n_heads = 71, .n_kv_heads = 1, .head_dim = 64, .first_position = 9000, .n_rows = 8});
    parts(f16,
          {.n_heads = 4, .n_kv_heads = 4, .head_dim = 128, .first_position = 1000, .n_rows = 257},
          100, 100);
  }
  return rows;
}

}  // namespace qaq::cases
