#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/parameters.h"

namespace qaq {

/// How a token's number spreads to its neighbours, so that they are kept with it.
enum class Pooling { avgpool, maxpool };
template <>
struct ChoiceNames<Pooling> {
  static constexpr std::array<std::string_view, 2> names{"avgpool", "maxpool"};
};

/// Of every number the mean or the largest of the `kernel_size` (odd) numbers around it. Behind the
/// ends lie zeros for a mean, which so divides by kernel_size everywhere, and nothing for a
/// maximum.
std::vector<double> pooled(std::span<const double> numbers, std::int64_t kernel_size,
                           Pooling pooling);

}  // namespace qaq
