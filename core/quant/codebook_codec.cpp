#include "core/quant/codebook_codec.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/parallel.h"
#include "core/quant/lane_kernels.h"
#include "core/quant/row_kernels.h"

namespace qaq {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// How the values of one row lie: see LaneEnds.
struct RowEnds {
  explicit RowEnds(std::size_t n) : lower(n), upper(n), below(n), above(n) {}
  LaneEnds from(std::size_t i) const {
    return LaneEnds{lower.data(), upper.data(), below.data(), above.data()}.from(i);
  }
  std::vector<float> lower, upper, below, above;
};

class Coder {
 public:
  Coder(const CodebookSpec& spec, const Codebook& book)
      : nuq_(spec.nuq), highest_(static_cast<float>((1 << spec.n_bits) - 1)) {
    if (!nuq_) return;
    for (std::size_t i = 0; i + 1 < book.centroids.size(); ++i) {
      middles_.push_back((book.centroids[i] + book.centroids[i + 1]) / 2);
    }
    for (const float c : book.centroids) {
      stands_for_.push_back(spec.norm ? c * book.norm_scale + book.norm_offset : c);
    }
  }

  std::int64_t quantize(const LaneEnds& ends, std::span<const float> in, float* out) const {
    return nuq_ ? quantize_lanes(ends, {stands_for_, middles_}, in, out) : by_steps(ends, in, out);
  }

 private:
  std::int64_t by_steps(const LaneEnds& ends, std::span<const float> in, float* out) const {
    std::int64_t n_kept = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const float x = in[i];
      const float steps = highest_ / (ends.upper[i] - ends.lower[i]);  // a unit
      const float offset = ends.lower[i] * steps;
      float code = steps * x - offset;
      code = code < 0 ? 0 : code;
      code = code > highest_ ? highest_ : code;
      code = (code + 12582912.0f) - 12582912.0f;  // half to even, as in arith.h
      const float back = steps < kInfinity ? (code + offset) / steps : ends.lower[i];
      n_kept += ends.keeps(i, x) ? 1 : 0;
      out[i] = ends.keeps(i, x) ? x : back;
    }
    return n_kept;
  }

  bool nuq_;
  float highest_;
  std::vector<float> middles_, stands_for_;
};

// The row's own ends: of its values over all heads, which lie side by side.
void take_ends(const CodebookSpec& spec, std::span<const float> row, RowEnds& ends) {
  float below = -kInfinity, above = kInfinity;
  if (spec.sparsity_threshold < 1) {
    const PercentileEnds own = percentile_ends(row, spec.sparsity_threshold);
    // x <= lower is x < the next number.
    below = std::nextafter(own.lower, kInfinity);
    above = std::nextafter(own.upper, -kInfinity);
  }
  const InlierExtent extent = inlier_extent(row, std::nextafter(below, -kInfinity), above);
  const bool any = extent.count > 0;
  std::fill(ends.lower.begin(), ends.lower.end(), any ? extent.min : 0.0f);
  std::fill(ends.upper.begin(), ends.upper.end(), any ? extent.max : 0.0f);
  std::fill(ends.below.begin(), ends.below.end(), below);
  std::fill(ends.above.begin(), ends.above.end(), above);
}

void flag_outliers(const LaneEnds& ends, std::span<const float> in, std::span<std::uint8_t> flags) {
  if (flags.empty()) return;
  std::fill(flags.begin(), flags.end(), std::uint8_t{0});
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (ends.keeps(i, in[i])) {
      flags[i / 8] = static_cast<std::uint8_t>(flags[i / 8] | (0x80u >> (i % 8)));
    }
  }
}

void keep_row(std::span<const float> in, float* out, std::span<std::uint8_t> flags) {
  std::copy(in.begin(), in.end(), out);
  if (flags.empty()) return;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const std::size_t rest = in.size() - 8 * i;
    flags[i] = static_cast<std::uint8_t>(rest >= 8 ? 0xffu : 0xff00u >> rest);
  }
}

}  // namespace

std::int64_t quantize_by_codebook(const CodebookSpec& spec, const Codebook& book,
                                  const CacheLayer& input, TokenSpan tokens,
                                  const CodebookLayer& out) {
  constexpr std::int64_t kTogether = 16;
  const auto head_dim = static_cast<std::size_t>(input.shape(2));
  const std::int64_t n_heads = input.shape(0);
  const std::size_t row_size = static_cast<std::size_t>(n_heads) * head_dim;
  const bool own_ends = spec.axis == GroupAxis::token;
  assert(own_ends || book.lower.size() == row_size);
  assert(!spec.nuq || book.centroids.size() == std::size_t{1} << spec.n_bits);
  const Coder coder(spec, book);
  const std::int64_t n_tiles = (tokens.size() + kTogether - 1) / kTogether;
  std::vector<std::int64_t> n_outliers(static_cast<std::size_t>(n_tiles));
  parallel_for(n_tiles, [&](std::int64_t tile) {
    RowEnds ends(own_ends ? row_size : 0);
    if (!own_ends) {
      ends.lower = ends.below = book.lower;
      ends.upper = ends.above = book.upper;
    }
    std::vector<float> row(row_size);
    const std::int64_t first = tokens.first + tile * kTogether;
    for (std::int64_t token = first; token < std::min(tokens.end, first + kTogether); ++token) {
      const bool exact = token < spec.first_few_fp16;
      if (own_ends && !exact) {
        for (std::int64_t head = 0; head < n_heads; ++head) {
          std::copy_n(input.sub(head, token).data(), head_dim, row.begin() + head * input.shape(2));
        }
        take_ends(spec, row, ends);
      }
      for (std::int64_t head = 0; head < n_heads; ++head) {
        const std::size_t at = static_cast<std::size_t>(head) * head_dim;
        const std::span<const float> in = input.sub(head, token).span();
        float* const to = out.values.sub(head, token).data();
        const std::span<std::uint8_t> flags =
            out.outliers.empty() ? std::span<std::uint8_t>() : out.outliers.sub(head, token).span();
        if (exact) {
          keep_row(in, to, flags);
        } else {
          flag_outliers(ends.from(at), in, flags);
          n_outliers[static_cast<std::size_t>(tile)] += coder.quantize(ends.from(at), in, to);
        }
      }
    }
  });
  return std::accumulate(n_outliers.begin(), n_outliers.end(), std::int64_t{0});
}

}  // namespace qaq
