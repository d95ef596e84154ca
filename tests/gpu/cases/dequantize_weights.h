#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "core/base/half.h"
#include "core/tensor/weight_block.h"
#include "gpu/cuda/kernels/dequantize_weights.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

inline constexpr std::array kWeightTypes{
    WeightType::f32,  WeightType::f16,  WeightType::bf16,   WeightType::q8_0,   WeightType::q4_0,
    WeightType::q4_1, WeightType::q5_0, WeightType::q5_1,   WeightType::q3_k,   WeightType::q4_k,
    WeightType::q5_k, WeightType::q6_k, WeightType::iq4_nl, WeightType::iq4_xs,
};

struct DequantizeProblem {
  WeightType type = WeightType::f32;
  DType dtype = DType::f16;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<unsigned char> bytes = {};
};

/// Where a block keeps its float16 scales.
inline std::vector<std::size_t> scale_places(WeightType type) {
  switch (type) {
    case WeightType::q4_1:
    case WeightType::q5_1:
    case WeightType::q4_k:
    case WeightType::q5_k:
      return {0, 2};
    case WeightType::q3_k:
      return {108};
    case WeightType::q6_k:
      return {208};
    default:
      return {0};
  }
}

inline bool of_single_numbers(WeightType type) {
  return weight_type_info(type).block_elements == 1;
}

/// Largest, least, smallest normal, largest subnormal, zeros.
inline constexpr std::array<std::uint16_t, 8> kExtremeHalves{0x7bff, 0xfbff, 0x0001, 0x8001,
                                                             0x0400, 0x83ff, 0x0000, 0x8000};

/// Random codes; scales of every block, or single numbers: ordinary, or the extreme ones.
inline DequantizeProblem dequantize_problem(DequantizeProblem p, bool extreme) {
  Numbers numbers(11);
  const WeightTypeInfo& info = weight_type_info(p.type);
  p.bytes.resize(static_cast<std::size_t>(p.rows * row_bytes(p.type, p.cols)));
  for (unsigned char& byte : p.bytes) byte = static_cast<unsigned char>(256 * numbers.uniform());
  const auto size = static_cast<std::size_t>(info.block_bytes);
  std::size_t n = 0;
  for (std::size_t block = 0; block < p.bytes.size(); block += size) {
    const float ordinary = numbers.bell(0.02);
    if (p.type == WeightType::f32) {
      if (!extreme) {
        std::memcpy(p.bytes.data() + block, &ordinary, sizeof ordinary);
      } else if (p.bytes[block + 3] % 128 == 127) {
        p.bytes[block + 3] = 0;  // finite, whatever else it is
      }
      continue;
    }
    for (const std::size_t place : scale_places(p.type)) {
      std::uint16_t bits = kExtremeHalves[n++ % kExtremeHalves.size()];
      if (!extreme) {
        bits = p.type == WeightType::bf16 ? bf16_from_float(ordinary) : half_from_float(ordinary);
      }
      std::memcpy(p.bytes.data() + block + place, &bits, sizeof bits);
    }
  }
  return p;
}

struct Dequantized {
  std::vector<std::uint32_t> bits;  ///< of each number, as `dtype` holds it
  unsigned long long bad = cuda::kNoneBad;
};

inline std::uint32_t dequantized_bits(float x, DType dtype) {
  if (dtype == DType::f16) return half_from_float(x);
  if (dtype == DType::bf16) return bf16_from_float(x);
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

/// As core decodes it, rounded once.
inline Dequantized dequantized_by_core(const DequantizeProblem& p) {
  std::vector<float> numbers(static_cast<std::size_t>(p.rows * p.cols));
  decode_row(p.type, std::as_bytes(std::span(p.bytes)), numbers);
  Dequantized out;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    out.bits.push_back(dequantized_bits(numbers[i], p.dtype));
    if (out.bad == cuda::kNoneBad && !std::isfinite(rounded(numbers[i], p.dtype))) out.bad = i;
  }
  return out;
}

template <class Number>
Dequantized run_dequantize_into(const DequantizeProblem& p, std::size_t shift,
                                unsigned long long bad_before) {
  DeviceArray<unsigned char> blocks(p.bytes.size() + 2 * shift);
  blocks.set(p.bytes, 2 * shift);
  const auto n = static_cast<std::size_t>(p.rows * p.cols);
  const DeviceArray<Number> out = unwritten<Number>(static_cast<std::int64_t>(n + shift));
  const DeviceArray<unsigned long long> bad(std::vector<unsigned long long>{bad_before});
  require(cuda::dequantize_weights({blocks.data() + 2 * shift, p.type, p.rows, p.cols,
                                    out.data() + shift, p.dtype, bad.data()},
                                   nullptr),
          "dequantize_weights");
  const std::vector<Number> numbers = out.host();
  Dequantized got{.bits = {}, .bad = bad.host()[0]};
  got.bits.assign(numbers.begin() + static_cast<std::ptrdiff_t>(shift), numbers.end());
  return got;
}

/// `shift`: two bytes, or numbers, that both ends lie behind a 256-byte boundary.
inline Dequantized run_dequantize(const DequantizeProblem& p, std::size_t shift = 0,
                                  unsigned long long bad_before = cuda::kNoneBad) {
  return p.dtype == DType::f32 ? run_dequantize_into<std::uint32_t>(p, shift, bad_before)
                               : run_dequantize_into<std::uint16_t>(p, shift, bad_before);
}

/// Numbers that differ; a NaN may have any bits. A wrong `bad` counts as one.
inline double n_wrong(const Dequantized& got, const Dequantized& want, DType dtype) {
  const std::uint32_t infinity = dequantized_bits(std::numeric_limits<float>::infinity(), dtype);
  const std::uint32_t no_sign = dtype == DType::f32 ? 0x7fffffffu : 0x7fffu;
  const auto is_nan = [=](std::uint32_t bits) { return (bits & no_sign) > infinity; };
  double n = got.bad == want.bad ? 0 : 1;
  for (std::size_t i = 0; i < want.bits.size(); ++i) {
    const bool both_nan = is_nan(got.bits[i]) && is_nan(want.bits[i]);
    n += got.bits[i] == want.bits[i] || both_nan ? 0 : 1;
  }
  return n;
}

inline std::string dequantize_shape(const DequantizeProblem& p) {
  return std::string(weight_type_info(p.type).name) + " to " + std::string(name_of(p.dtype)) +
         ", " + shape_text({{"rows", p.rows}, {"cols", p.cols}});
}

inline CaseRow dequantize_case(const DequantizeProblem& p, std::string name) {
  const Dequantized want = dequantized_by_core(p), got = run_dequantize(p);
  const double n = n_wrong(got, want, p.dtype) + n_wrong(run_dequantize(p, 1), want, p.dtype);
  return {std::move(name), dequantize_shape(p), n, 0, digest_of(got.bits)};
}

/// Makes the scales of a block NaN, or a number.
inline void spoil(DequantizeProblem& p, std::size_t block) {
  const auto size = static_cast<std::size_t>(weight_type_info(p.type).block_bytes);
  const std::uint16_t nan = 0x7fff;
  const std::size_t place = p.type == WeightType::f32 ? 2 : scale_places(p.type).back();
  std::memcpy(p.bytes.data() + block * size + place, &nan, sizeof nan);
}

/// The first of two blocks of NaN is found, and nothing where an earlier call found a smaller
/// index.
inline CaseRow dequantize_bad_case(DequantizeProblem p) {
  p = dequantize_problem(p, false);
  const std::int64_t n_blocks = p.rows * p.cols / weight_type_info(p.type).block_elements;
  spoil(p, static_cast<std::size_t>(n_blocks - 1));
  spoil(p, static_cast<std::size_t>(n_blocks / 2 + 1));
  const Dequantized want = dequantized_by_core(p), got = run_dequantize(p);
  double n = n_wrong(got, want, p.dtype) + (want.bad == cuda::kNoneBad ? 1 : 0);
  n += run_dequantize(p, 0, 3).bad == 3 ? 0 : 1;
  return {"dequantize_weights, NaN", dequantize_shape(p), n, 0, digest_of(got.bits)};
}

inline void require_dequantize_refusals() {
  require(cuda::dequantize_weights({.cols = 256}, nullptr), "dequantize_weights of no rows");
  unsigned char* const odd = reinterpret_cast<unsigned char*>(3);
  const cuda::DequantizeCall partial{
      .type = WeightType::q4_k, .rows = 2, .cols = 128, .dtype = DType::f16};
  const cuda::DequantizeCall odd_blocks{.blocks = odd, .rows = 1, .cols = 1};
  const cuda::DequantizeCall odd_out{.rows = 1, .cols = 1, .out = odd};
  for (const cuda::DequantizeCall& call : {partial, odd_blocks, odd_out}) {
    if (cuda::dequantize_weights(call, nullptr) != cudaErrorInvalidValue) {
      throw std::runtime_error("dequantize_weights takes what it cannot do");
    }
  }
}

inline std::vector<CaseRow> check_dequantize_weights(bool small) {
  require_dequantize_refusals();
  std::vector<CaseRow> rows;
  for (const WeightType type : kWeightTypes) {
    for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
      const auto problem = [&](std::int64_t n_rows, std::int64_t n_cols, bool extreme) {
        return dequantize_problem({type, dtype, n_rows, n_cols}, extreme);
      };
      rows.push_back(dequantize_case(problem(3, 1280, false), "dequantize_weights"));
      rows.push_back(dequantize_case(problem(2, 768, true), "dequantize_weights, extreme"));
      if (of_single_numbers(type)) {
        rows.push_back(dequantize_case(problem(3, 77, false), "dequantize_weights"));
      }
      if (!small) {
        rows.push_back(dequantize_case(problem(1000, 11008, false), "dequantize_weights"));
      }
    }
    rows.push_back(dequantize_bad_case({type, DType::f16, 5, 512}));
  }
  return rows;
}

}  // namespace qaq::cases
