#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace qaq {

/// Row operations of a transformer in float32, on the calling thread, vectorized where Highway is
/// there. Sums are made in float64 in an order that depends on the length alone.

/// Softmax of scale * row[0 .. n_visible) in place, zero behind it. `n_visible` is at least 1. The
/// one definition that the engine and every replay use.
void softmax_row(std::span<float> row, std::size_t n_visible, float scale);

/// A softmax's first half: row = exp(scale * (row - largest)); returns the sum.
double exp_row(std::span<float> row, float largest, float scale);

/// row *= factor.
void scale_row(std::span<float> row, float factor);

/// RMSNorm: out = in / sqrt(mean(in^2) + epsilon) * weight. May be in place.
void rms_norm(std::span<const float> in, const float* weight, double epsilon, float* out);

/// LayerNorm: out = (in - mean(in)) / sqrt(variance(in) + epsilon) * weight + bias, with the mean
/// square as variance. May be in place.
void layer_norm(std::span<const float> in, const float* weight, const float* bias, double epsilon,
                float* out);

/// SwiGLU: gate = gate / (1 + exp(-gate)) * up.
void swiglu(std::span<float> gate, const float* up);

/// Turns the pairs (i, i + n) of head[0 .. 2n) by angles given as cosines and sines (n): RoPE,
/// half-split.
void rotate_pairs(float* head, const float* cosine, const float* sine, std::int64_t n);

/// -sum p log p over the numbers above zero, nat.
double entropy(std::span<const float> row);

/// log(sum(exp(row))) given the row's largest number.
double log_sum_exp(std::span<const float> row, float largest);

float largest_of(std::span<const float> row);

/// Sum of (a - b)^2, each term and the sum in float64; b is as long as a.
double squared_distance(std::span<const float> a, std::span<const float> b);

/// sums[i] += row[i], in float64.
void add_to_sums(std::span<const float> row, double* sums);

/// maxima[i] = max(maxima[i], row[i]).
void raise_to_maxima(std::span<const float> row, float* maxima);

/// Whether every number's magnitude is at most `limit`; no for a NaN.
bool all_within(std::span<const float> row, float limit);

/// What the vectors of this machine are called, for people: "AVX3", "AVX2", "NEON"; "none" without
/// Highway.
const char* simd_target_name();

}  // namespace qaq
