#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace qaq {

/// How a model knows where a token is.
enum class PositionEmbedding {
  rope,     ///< queries and keys turn (rope.h)
  learned,  ///< a row of a table is added to the token's embedding
  alibi,    ///< scores lose a head's slope times the distance
  none      ///< not at all
};
inline constexpr std::array kPositionEmbeddings{PositionEmbedding::rope, PositionEmbedding::learned,
                                                PositionEmbedding::alibi, PositionEmbedding::none};

/// "rope", "learned", "alibi", "none".
std::string_view name_of(PositionEmbedding positions);
std::optional<PositionEmbedding> position_embedding_named(std::string_view name);

/// ALiBi's slopes of each head, (n_heads): 2^(-8/n), 2^(-16/n) ... for n heads, a power of two;
/// else those of the power of two below, then every other one of the power above. Source: Press et
/// al. 2022 (arXiv 2108.12409), section 3, and transformers, modeling_bloom.py.
std::vector<float> alibi_slopes(std::int64_t n_heads);

}  // namespace qaq
