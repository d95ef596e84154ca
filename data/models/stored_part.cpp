#include "data/models/stored_part.h"

#include <algorithm>
#include <cassert>
#include <optional>

namespace qaq {
namespace {

constexpr std::int64_t kFused = 3;

// Which of the three a weight is; nothing where it is none of them.
std::optional<std::int64_t> fused_part(WeightRole role) {
  switch (role) {
    case WeightRole::query:
    case WeightRole::query_bias:
      return 0;
    case WeightRole::key:
    case WeightRole::key_bias:
      return 1;
    case WeightRole::value:
    case WeightRole::value_bias:
      return 2;
    default:
      return std::nullopt;
  }
}

bool is_projection(WeightRole role) {
  switch (role) {
    case WeightRole::query:
    case WeightRole::key:
    case WeightRole::value:
    case WeightRole::attention_output:
    case WeightRole::gate:
    case WeightRole::up:
    case WeightRole::down:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool StoredOrder::moves(WeightRole role) const {
  return (query_key_value != FusedOrder::apart && fused_part(role)) ||
         (transposed && is_projection(role));
}

std::pair<std::int64_t, std::int64_t> StoredOrder::stored_shape(WeightRole role,
                                                                const ModelShape& shape) const {
  auto [rows, cols] = weight_shape(role, shape);
  if (query_key_value != FusedOrder::apart && fused_part(role)) {
    (rows == 1 ? cols : rows) *= kFused;
  }
  if (transposed && is_projection(role)) std::swap(rows, cols);
  return {rows, cols};
}

std::vector<std::byte> StoredOrder::take(WeightRole role, const WeightView& stored,
                                         const ModelShape& shape) const {
  assert(weight_type_info(stored.type).block_elements == 1);
  assert(std::pair(stored.rows, stored.cols) == stored_shape(role, shape));
  auto [n_out, n_in] = weight_shape(role, shape);
  if (n_out == 1) std::swap(n_out, n_in);  // a bias: each number is an output's
  const auto part = fused_part(role);
  // Where the tensor has the weight's output `i`.
  const auto output = [&](std::int64_t i) {
    const std::int64_t d = shape.head_dim;
    if (!part || query_key_value == FusedOrder::apart) return i;
    if (query_key_value == FusedOrder::blocks) return *part * n_out + i;
    return (i / d * kFused + *part) * d + i % d;
  };
  const std::int64_t size = row_bytes(stored.type, 1);
  std::vector<std::byte> out(static_cast<std::size_t>(n_out * n_in * size));
  if (!transposed || !is_projection(role)) {
    for (std::int64_t i = 0; i < n_out; ++i) {
      std::copy_n(stored.bytes.data() + output(i) * n_in * size, n_in * size,
                  out.data() + i * n_in * size);
    }
    return out;
  }
  constexpr std::int64_t kBlock = 64;  // inputs whose rows stay in the cache together
  for (std::int64_t first = 0; first < n_in; first += kBlock) {
    const std::int64_t last = std::min(n_in, first + kBlock);
    for (std::int64_t i = 0; i < n_out; ++i) {
      for (std::int64_t input = first; input < last; ++input) {
        std::copy_n(stored.bytes.data() + (input * stored.cols + output(i)) * size, size,
                    out.data() + (i * n_in + input) * size);
      }
    }
  }
  return out;
}

}  // namespace qaq
