#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/parameters.h"

namespace qaq {

/// Values that one parameter takes in turn. `name` as in --set: a bare name sets every section that
/// has it (keys and values move together).
struct GridAxis {
  std::string name;
  std::vector<ParameterValue> values;
};

/// Axes that only settings have for which `condition` holds.
struct GridBranch {
  std::string condition;
  std::vector<GridAxis> axes;
};

/// Every combination of the axes' values; the last axis changes fastest.
///
/// A condition is `NAME OP NAME` or `NAME OP VALUE`, OP being == != < <= > >=; several are joined
/// by " and ". A bare name that lies in sections is compared section by section, and all must hold.
struct ParameterGrid {
  std::vector<GridAxis> axes{};
  std::vector<GridBranch> branches{};
  std::vector<std::string> conditions{};  ///< of the settings that are kept
};

/// Largest number of settings that a grid may make.
inline constexpr std::int64_t kMostSettings = 1'000'000;

/// The settings of a grid on top of `defaults`, each a complete list of parameters, equal ones
/// once. Throws Error{usage} whose place is the axis or condition: unknown names (with the
/// nearest), values out of range, no values, too many settings.
std::vector<std::vector<Parameter>> settings_of(const ParameterGrid& grid,
                                                const std::vector<Parameter>& defaults);

/// The struct that a complete list of parameters stands for.
template <class P>
P params_of(const std::vector<Parameter>& list) {
  P params;
  for (const Parameter& parameter : list) set_parameter(params, parameter.name, parameter.value);
  return params;
}

}  // namespace qaq
