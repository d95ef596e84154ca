#include "core/tensor/vector_math.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/tensor/vector_math.cpp"
// Must come before highway.h, in this order: Highway compiles this file once for each target.
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// After highway.h.
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace qaq {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Floats>;
constexpr std::size_t kLanes = hn::MaxLanes(Floats());

// A sum in float64: the halves of each vector go to two accumulators.
class DoubleSum {
 public:
  // Written out: an implicit one would not be compiled for the target.
  HWY_INLINE DoubleSum() : low_(hn::Zero(d_)), high_(hn::Zero(d_)) {}
  HWY_INLINE void add(Vector v) {
    const hn::Half<Floats> half;
    low_ = hn::Add(low_, hn::PromoteTo(d_, hn::LowerHalf(half, v)));
    high_ = hn::Add(high_, hn::PromoteTo(d_, hn::UpperHalf(half, v)));
  }
  HWY_INLINE double total() const { return hn::GetLane(hn::SumOfLanes(d_, hn::Add(low_, high_))); }

 private:
  hn::Repartition<double, Floats> d_;
  hn::Vec<hn::Repartition<double, Floats>> low_, high_;
};

// Calls body(offset) for whole vectors and returns where the rest begins.
template <class Body>
HWY_INLINE std::size_t for_vectors(std::size_t n, Body body) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i);
  return i;
}

float largest(const float* row, std::size_t n) {
  const Floats d;
  Vector most = hn::Set(d, row[0]);
  std::size_t i = for_vectors(
      n, [&](std::size_t at) HWY_ATTR { most = hn::Max(most, hn::LoadU(d, row + at)); });
  float out = hn::GetLane(hn::MaxOfLanes(d, most));
  for (; i < n; ++i) out = std::max(out, row[i]);
  return out;
}

double exponentials(float* row, std::size_t n, float most, float scale) {
  const Floats d;
  const Vector shift = hn::Set(d, most), factor = hn::Set(d, scale);
  DoubleSum vectors;
  std::size_t i = for_vectors(n, [&](std::size_t at) HWY_ATTR {
    const Vector e = hn::Exp(d, hn::Mul(hn::Sub(hn::LoadU(d, row + at), shift), factor));
    hn::StoreU(e, d, row + at);
    vectors.add(e);
  });
  double sum = vectors.total();
  for (; i < n; ++i) {
    row[i] = std::exp((row[i] - most) * scale);
    sum += static_cast<double>(row[i]);
  }
  return sum;
}

void times(float* row, std::size_t n, float factor) {
  const Floats d;
  std::size_t i = for_vectors(n, [&](std::size_t at) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, row + at), hn::Set(d, factor)), d, row + at);
  });
  for (; i < n; ++i) row[i] *= factor;
}

double sum_of(const float* x, std::size_t n) {
  const Floats d;
  DoubleSum vectors;
  std::size_t i =
      for_vectors(n, [&](std::size_t at) HWY_ATTR { vectors.add(hn::LoadU(d, x + at)); });
  double sum = vectors.total();
  for (; i < n; ++i) sum += static_cast<double>(x[i]);
  return sum;
}

// Of x - shift.
double square_sum(const float* x, float shift, std::size_t n) {
  const Floats d;
  const Vector less = hn::Set(d, shift);
  const hn::Half<Floats> half;
  const hn::Repartition<double, Floats> dd;
  auto low = hn::Zero(dd), high = hn::Zero(dd);
  std::size_t i = for_vectors(n, [&](std::size_t at) HWY_ATTR {
    const Vector v = hn::Sub(hn::LoadU(d, x + at), less);
    const auto a = hn::PromoteTo(dd, hn::LowerHalf(half, v));
    const auto b = hn::PromoteTo(dd, hn::UpperHalf(half, v));
    low = hn::MulAdd(a, a, low);
    high = hn::MulAdd(b, b, high);
  });
  double sum = hn::GetLane(hn::SumOfLanes(dd, hn::Add(low, high)));
  for (; i < n; ++i) sum += static_cast<double>(x[i] - shift) * static_cast<double>(x[i] - shift);
  return sum;
}

void norm(const float* in, const float* weight, double epsilon, float* out, std::size_t n) {
  const Floats d;
  const auto factor = static_cast<float>(
      1.0 / std::sqrt(square_sum(in, 0.0f, n) / static_cast<double>(n) + epsilon));
  std::size_t i = for_vectors(n, [&](std::size_t at) HWY_ATTR {
    const Vector scaled = hn::Mul(hn::LoadU(d, in + at), hn::Set(d, factor));
    hn::StoreU(hn::Mul(scaled, hn::LoadU(d, weight + at)), d, out + at);
  });
  for (; i < n; ++i) out[i] = in[i] * factor * weight[i];
}

void centred_norm(const float* in, const float* weight, const float* bias, double epsilon,
                  float* out, std::size_t n) {
  const Floats d;
  const auto mean = static_cast<float>(sum_of(in, n) / static_cast<double>(n));
  const auto factor = static_cast<float>(
      1.0 / std::sqrt(square_sum(in, mean, n) / static_cast<double>(n) + epsilon));
  std::size_t i = for_vectors(n, [&](std::size_t at) HWY_ATTR {
    const Vector centred = hn::Sub(hn::LoadU(d, in + at), hn::Set(d, mean));
    const Vector scaled = hn::Mul(hn::Mul(centred, hn::Set(d, factor)), hn::LoadU(d, weight + at));
    hn::StoreU(hn::Add(scaled, hn::LoadU(d, bias + at)), d, out + at);
  });
  for (; i < n; ++i) out[i] = (in[i] - mean) * factor * weight[i] + bias[i];
}

void silu_times(float* gate, const float* up, std::size_t n) {
  const Floats d;
  std::size_t i = for_vectors(n, [&](std::size_t at) HWY_ATTR {
    const Vector g = hn::LoadU(d, gate + at);
    // Of e^-|g|, because Highway's exponential is wrong where the result overflows.
    const Vector one = hn::Set(d, 1.0f), e = hn::Exp(d, hn::Neg(hn::Abs(g)));
    const Vector share = hn::Div(hn::IfThenElse(hn::Ge(g, hn::Zero(d)), one, e), hn::Add(one, e));
    hn::StoreU(hn::Mul(hn::Mul(g, share), hn::LoadU(d, up + at)), d, gate + at);
  });
  for (; i < n; ++i) gate[i] = gate[i] / (1.0f + std::exp(-gate[i])) * up[i];
}

void rotate(float* head, const float* cosine, const float* sine, std::size_t n) {
  const Floats d;
  std::size_t i = for_vectors(n, [&](std::size_t at) HWY_ATTR {
    const Vector a = hn::LoadU(d, head + at), b = hn::LoadU(d, head + n + at);
    const Vector c = hn::LoadU(d, cosine + at), s = hn::LoadU(d, sine + at);
    hn::StoreU(hn::Sub(hn::Mul(a, c), hn::Mul(b, s)), d, head + at);
    hn::StoreU(hn::Add(hn::Mul(b, c), hn::Mul(a, s)), d, head + n + at);
  });
  for (; i < n; ++i) {
    const float a = head[i], b = head[n + i];
    head[i] = a * cosine[i] - b * sine[i];
    head[n + i] = b * cosine[i] + a * sine[i];
  }
}

double entropy_of(const float* p, std::size_t n) {
  const Floats d;
  DoubleSum vectors;
  std::size_t i = for_vectors(n, [&](std::size_t at) HWY_ATTR {
    const Vector v = hn::LoadU(d, p + at);
    // Zeros count as 1, whose logarithm is 0.
    const Vector positive = hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, hn::Set(d, 1.0f));
    vectors.add(hn::Mul(positive, hn::Log(d, positive)));
  });
  double sum = -vectors.total();
  for (; i < n; ++i) {
    if (p[i] > 0) sum -= static_cast<double>(p[i]) * static_cast<double>(std::log(p[i]));
  }
  return sum;
}

double distance(const float* a, const float* b, std::size_t n) {
  const Floats d;
  const hn::Half<Floats> half;
  const hn::Repartition<double, Floats> dd;
  auto low = hn::Zero(dd), high = hn::Zero(dd);
  std::size_t i = for_vectors(n, [&](std::size_t at) HWY_ATTR {
    const Vector x = hn::LoadU(d, a + at), y = hn::LoadU(d, b + at);
    const auto p = hn::Sub(hn::PromoteTo(dd, hn::LowerHalf(half, x)),
                           hn::PromoteTo(dd, hn::LowerHalf(half, y)));
    const auto q = hn::Sub(hn::PromoteTo(dd, hn::UpperHalf(half, x)),
                           hn::PromoteTo(dd, hn::UpperHalf(half, y)));
    low = hn::MulAdd(p, p, low);
    high = hn::MulAdd(q, q, high);
  });
  double sum = hn::GetLane(hn::SumOfLanes(dd, hn::Add(low, high)));
  for (; i < n; ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum;
}

double exp_sum(const float* row, std::size_t n, float most) {
  const Floats d;
  const Vector shift = hn::Set(d, most);
  DoubleSum vectors;
  std::size_t i = for_vectors(n, [&](std::size_t at) HWY_ATTR {
    vectors.add(hn::Exp(d, hn::Sub(hn::LoadU(d, row + at), shift)));
  });
  double sum = vectors.total();
  for (; i < n; ++i) sum += static_cast<double>(std::exp(row[i] - most));
  return sum;
}

void add_doubles(const float* row, double* sums, std::size_t n) {
  const hn::Half<Floats> half;
  const hn::Repartition<double, Floats> dd;
  std::size_t i = 0;
  for (; i + kLanes / 2 <= n; i += kLanes / 2) {
    const auto x = hn::PromoteTo(dd, hn::LoadU(half, row + i));
    hn::StoreU(hn::Add(hn::LoadU(dd, sums + i), x), dd, sums + i);
  }
  for (; i < n; ++i) sums[i] += static_cast<double>(row[i]);
}

void raise(const float* row, float* maxima, std::size_t n) {
  const Floats d;
  std::size_t i = for_vectors(n, [&](std::size_t at) HWY_ATTR {
    hn::StoreU(hn::Max(hn::LoadU(d, row + at), hn::LoadU(d, maxima + at)), d, maxima + at);
  });
  for (; i < n; ++i) maxima[i] = std::max(maxima[i], row[i]);
}

bool within(const float* row, std::size_t n, float limit) {
  const Floats d;
  const Vector most = hn::Set(d, limit);
  auto good = hn::Eq(most, most);
  std::size_t i = for_vectors(n, [&](std::size_t at) HWY_ATTR {
    good = hn::And(good, hn::Le(hn::Abs(hn::LoadU(d, row + at)), most));
  });
  bool all = hn::AllTrue(d, good);
  for (; i < n; ++i) all = all && std::abs(row[i]) <= limit;
  return all;
}

const char* target_name() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace qaq
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace qaq {
HWY_EXPORT(largest);
HWY_EXPORT(exponentials);
HWY_EXPORT(times);
HWY_EXPORT(norm);
HWY_EXPORT(centred_norm);
HWY_EXPORT(silu_times);
HWY_EXPORT(rotate);
HWY_EXPORT(entropy_of);
HWY_EXPORT(distance);
HWY_EXPORT(exp_sum);
HWY_EXPORT(add_doubles);
HWY_EXPORT(raise);
HWY_EXPORT(within);
HWY_EXPORT(target_name);

double exp_row(std::span<float> row, float largest, float scale) {
  return HWY_DYNAMIC_DISPATCH(exponentials)(row.data(), row.size(), largest, scale);
}

void scale_row(std::span<float> row, float factor) {
  HWY_DYNAMIC_DISPATCH(times)(row.data(), row.size(), factor);
}

void softmax_row(std::span<float> row, std::size_t n_visible, float scale) {
  const std::span<float> seen = row.first(n_visible);
  scale_row(seen, static_cast<float>(1.0 / exp_row(seen, largest_of(seen), scale)));
  std::ranges::fill(row.subspan(n_visible), 0.0f);
}

void rms_norm(std::span<const float> in, const float* weight, double epsilon, float* out) {
  HWY_DYNAMIC_DISPATCH(norm)(in.data(), weight, epsilon, out, in.size());
}

void layer_norm(std::span<const float> in, const float* weight, const float* bias, double epsilon,
                float* out) {
  HWY_DYNAMIC_DISPATCH(centred_norm)(in.data(), weight, bias, epsilon, out, in.size());
}

void swiglu(std::span<float> gate, const float* up) {
  HWY_DYNAMIC_DISPATCH(silu_times)(gate.data(), up, gate.size());
}

void rotate_pairs(float* head, const float* cosine, const float* sine, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(rotate)(head, cosine, sine, static_cast<std::size_t>(n));
}

double entropy(std::span<const float> row) {
  return HWY_DYNAMIC_DISPATCH(entropy_of)(row.data(), row.size());
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
  assert(a.size() == b.size());
  return HWY_DYNAMIC_DISPATCH(distance)(a.data(), b.data(), a.size());
}

double log_sum_exp(std::span<const float> row, float largest) {
  return static_cast<double>(largest) +
         std::log(HWY_DYNAMIC_DISPATCH(exp_sum)(row.data(), row.size(), largest));
}

float largest_of(std::span<const float> row) {
  return HWY_DYNAMIC_DISPATCH(largest)(row.data(), row.size());
}

void add_to_sums(std::span<const float> row, double* sums) {
  HWY_DYNAMIC_DISPATCH(add_doubles)(row.data(), sums, row.size());
}

void raise_to_maxima(std::span<const float> row, float* maxima) {
  HWY_DYNAMIC_DISPATCH(raise)(row.data(), maxima, row.size());
}

bool all_within(std::span<const float> row, float limit) {
  return HWY_DYNAMIC_DISPATCH(within)(row.data(), row.size(), limit);
}

const char* simd_target_name() { return HWY_DYNAMIC_DISPATCH(target_name)(); }

}  // namespace qaq
#endif  // HWY_ONCE
