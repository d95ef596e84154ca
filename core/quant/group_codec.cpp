#include "core/quant/group_codec.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <vector>

#include "core/base/parallel.h"
#include "core/quant/arith.h"
#include "core/quant/lane_kernels.h"
#include "core/quant/row_kernels.h"
#include "core/quant/unit_grid.h"

namespace qaq {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::int64_t kTokensOfTile = 16;  // tokens whose groups are worked on together
constexpr std::int64_t kLane = 64;          // channels whose groups of tokens are

UniformGrid grid_of(const GroupSpec& spec, float min, float max) {
  // A group without spread is centred on its minimum, which is then stored.
  return unit_grid({.range_rule = RangeRule::minmax, .store_scale = spec.store_scale},
                   {.min = min, .max = max, .mean = min}, spec.n_bits);
}

std::uint8_t code_of(const UniformGrid& grid, float x) {
  return static_cast<std::uint8_t>(encode(grid, x));
}

// Groups of `size` values that follow each other.
void quantize_run(const GroupSpec& spec, std::span<const float> in, std::size_t size, float* out,
                  std::uint8_t* codes) {
  const std::size_t n = in.size() / size;
  std::vector<InlierExtent> extents(n);
  if (is_row_size(static_cast<std::int64_t>(size))) {
    const float* const row = in.data();
    row_extents({&row, 1}, size, extents);
  } else {
    for (std::size_t i = 0; i < n; ++i) {
      extents[i] = inlier_extent(in.subspan(i * size, size), -kInfinity, kInfinity);
    }
  }
  std::vector<RowQuantizer> rows(n);
  for (std::size_t i = 0; i < n; ++i) {
    rows[i] = {grid_of(spec, extents[i].min, extents[i].max), -kInfinity, kInfinity};
  }
  for (std::size_t i = 0; i < in.size() && codes != nullptr; ++i) {
    codes[i] = code_of(rows[i / size].grid, in[i]);
  }
  quantize_rows(rows, size, in.data(), out, nullptr);
}

void quantize_along_channels(const GroupSpec& spec, const CacheLayer& input, TokenSpan tokens,
                             const GroupedLayer& out) {
  const auto head_dim = static_cast<std::size_t>(input.shape(2));
  const std::size_t whole = spec.group_size == 0
                                ? head_dim
                                : std::min(head_dim, static_cast<std::size_t>(spec.group_size));
  const std::int64_t n_tiles = (tokens.size() + kTokensOfTile - 1) / kTokensOfTile;
  parallel_for(input.shape(0) * n_tiles, [&](std::int64_t i) {
    const std::int64_t head = i / n_tiles;
    const std::int64_t first = tokens.first + i % n_tiles * kTokensOfTile;
    const std::int64_t end = std::min(tokens.end, first + kTokensOfTile);
    const auto n = static_cast<std::size_t>(end - first) * head_dim;
    // Where groups fill rows, those of several rows follow each other.
    const std::size_t run = head_dim % whole == 0 ? n : head_dim;
    const std::size_t in_groups = run / whole * whole;
    const std::span<const float> in(input.sub(head, first).data(), n);
    float* const to = out.values.sub(head, first).data();
    std::uint8_t* const codes = out.codes.empty() ? nullptr : out.codes.sub(head, first).data();
    const auto part = [&](std::size_t at, std::size_t length, std::size_t size) {
      quantize_run(spec, in.subspan(at, length), size, to + at,
                   codes == nullptr ? nullptr : codes + at);
    };
    for (std::size_t at = 0; at < n; at += run) {
      part(at, in_groups, whole);
      if (in_groups < run) part(at + in_groups, run - in_groups, run - in_groups);
    }
  });
}

// Groups along tokens of up to kLane channels that lie side by side: their rows are read in order,
// once for the groups' ends and once for the codes.
class Lanes {
 public:
  Lanes(const GroupSpec& spec, const float* in, std::int64_t n_rows, std::int64_t stride,
        std::size_t n)
      : n_(n) {
    std::array<float, kLane> min, max;
    std::copy_n(in, n, min.begin());
    std::copy_n(in, n, max.begin());
    for (std::int64_t row = 1; row < n_rows; ++row) {
      const float* const x = in + row * stride;
      for (std::size_t i = 0; i < n; ++i) {
        min[i] = x[i] < min[i] ? x[i] : min[i];
        max[i] = x[i] > max[i] ? x[i] : max[i];
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      const UniformGrid grid = grid_of(spec, min[i], max[i]);
      base_[i] = grid.base;
      scale_[i] = grid.scale;
      highest_[i] = grid.highest;
    }
  }
  void codes(const float* x, std::uint8_t* out) const {
    for (std::size_t i = 0; i < n_; ++i) out[i] = code_of(grids().grid(i), x[i]);
  }
  void values(const float* x, float* out) const { quantize_lanes(grids(), {x, n_}, out); }

 private:
  LaneGrids grids() const { return {base_.data(), scale_.data(), highest_.data()}; }

  std::size_t n_;
  std::array<float, kLane> base_, scale_, highest_;
};

void quantize_along_tokens(const GroupSpec& spec, const CacheLayer& input, TokenSpan tokens,
                           const GroupedLayer& out) {
  const std::int64_t head_dim = input.shape(2);
  const std::int64_t whole = spec.group_size == 0 ? tokens.size() : spec.group_size;
  const std::int64_t n_groups = (tokens.size() + whole - 1) / whole;
  parallel_for(input.shape(0) * n_groups, [&](std::int64_t i) {
    const std::int64_t head = i / n_groups, first = tokens.first + i % n_groups * whole;
    const std::int64_t n_rows = std::min(whole, tokens.end - first);
    const float* const in = input.sub(head, first).data();
    float* const to = out.values.sub(head, first).data();
    for (std::int64_t channel = 0; channel < head_dim; channel += kLane) {
      const auto n = static_cast<std::size_t>(std::min(kLane, head_dim - channel));
      const Lanes lanes(spec, in + channel, n_rows, head_dim, n);
      for (std::int64_t row = 0; row < n_rows; ++row) {
        const std::int64_t at = row * head_dim + channel;
        if (!out.codes.empty()) lanes.codes(in + at, out.codes.sub(head, first).data() + at);
        lanes.values(in + at, to + at);
      }
    }
  });
}

// Bytes of `n_rows` rows of `length` values in groups.
PackedBytes row_bytes(const GroupSpec& spec, std::int64_t n_rows, std::int64_t length) {
  const std::int64_t whole = spec.group_size == 0 ? length : std::min(length, spec.group_size);
  if (whole == 0) return {};
  const QuantizerSpec quantizer{.store_scale = spec.store_scale};
  const PackedFormat format = packed_format(quantizer, DType::f16);
  const std::int64_t rest = length % whole;
  const PackedBytes group = unit_bytes(quantizer, format, {whole, spec.n_bits, 0});
  const PackedBytes last =
      rest == 0 ? PackedBytes{} : unit_bytes(quantizer, format, {rest, spec.n_bits, 0});
  return {.payload = n_rows * (length / whole * group.payload + last.payload),
          .scales = n_rows * (length / whole * group.scales + last.scales)};
}

}  // namespace

void quantize_groups(const GroupSpec& spec, const CacheLayer& input, TokenSpan tokens,
                     const GroupedLayer& out) {
  assert(spec.n_bits >= 1 && spec.n_bits <= 8 && spec.group_size >= 0);
  assert(tokens.first >= 0 && tokens.end <= input.shape(1));
  if (tokens.size() <= 0) return;
  if (spec.axis == GroupAxis::token) {
    quantize_along_channels(spec, input, tokens, out);
  } else {
    quantize_along_tokens(spec, input, tokens, out);
  }
}

PackedBytes group_bytes(const GroupSpec& spec, const CacheShape& shape, std::int64_t n_quantized,
                        DType exact) {
  const std::int64_t n_layer_heads = shape.n_layers * shape.n_kv_heads;
  PackedBytes bytes = spec.axis == GroupAxis::token
                          ? row_bytes(spec, n_layer_heads * n_quantized, shape.head_dim)
                          : row_bytes(spec, n_layer_heads * shape.head_dim, n_quantized);
  bytes.payload +=
      n_layer_heads * (shape.n_tokens - n_quantized) * shape.head_dim * bytes_of(exact);
  return bytes;
}

}  // namespace qaq
