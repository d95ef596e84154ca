#include "core/model/position_embedding.h"

#include <bit>
#include <cmath>

namespace qaq {

std::string_view name_of(PositionEmbedding positions) {
  switch (positions) {
    case PositionEmbedding::rope:
      return "rope";
    case PositionEmbedding::learned:
      return "learned";
    case PositionEmbedding::alibi:
      return "alibi";
    case PositionEmbedding::none:
      return "none";
  }
  return "";
}

std::optional<PositionEmbedding> position_embedding_named(std::string_view name) {
  for (const PositionEmbedding positions : kPositionEmbeddings) {
    if (name_of(positions) == name) return positions;
  }
  return std::nullopt;
}

std::vector<float> alibi_slopes(std::int64_t n_heads) {
  const auto whole = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(n_heads)));
  std::vector<float> slopes;
  const auto add = [&](std::int64_t n, std::int64_t i) {
    slopes.push_back(
        static_cast<float>(std::exp2(-8.0 * static_cast<double>(i) / static_cast<double>(n))));
  };
  for (std::int64_t i = 1; i <= whole; ++i) add(whole, i);
  for (std::int64_t i = 1; i <= n_heads - whole; ++i) add(2 * whole, 2 * i - 1);
  return slopes;
}

}  // namespace qaq
