#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/tensor/nd_array.h"
#include "tests/support/quantized_cache.h"
#include "tests/support/reference_file.h"

namespace qaq::test {

/// Largest deviations over the configurations of a file.
struct QaqDeviations {
  int n_configs = 0;
  std::int64_t n_units = 0, n_bits_differ = 0, n_masks = 0, n_masks_differ = 0;
  std::int64_t n_values = 0, n_ties = 0, n_ties_used = 0;
  double values = 0;                                            // of the largest input of the unit
  double mean_squared_error = 0, average_n_bits = 0, size = 0;  // relative

  std::string text() const;
};

/// The authors' own quantizer: a cache, and what every configuration made of it, from NAME.h5 and
/// NAME.json of the oracle.
class QaqReference {
 public:
  /// As quantize_cache().
  using Quantize = std::function<QuantizedCache(const ReferenceConfig& config,
                                                const NdView<const float, 4>& cache,
                                                const NdView<const float, 4>& attention)>;

  QaqReference(const std::string& folder, const std::string& name);

  /// Holds what `quantize` makes of each configuration against the reference, within the oracle's
  /// tolerances.
  QaqDeviations compare_all(const Quantize& quantize);

 private:
  using Place = std::vector<std::int64_t>;

  NdArray<float, 4> load(const std::string& name) const;
  void compare(const nlohmann::json& reference, const Quantize& quantize);
  void compare_bits(const QuantizedCache& ours, const std::vector<std::int64_t>& reference);
  void compare_masks(const QuantizedCache& ours, const std::vector<std::uint8_t>& packed);
  void compare_values(const QuantizedCache& ours, const NdArray<float, 4>& cache,
                      const std::vector<float>& reference, const std::set<Place>& ties);
  void compare_sizes(const QuantizedCache& ours, const NdArray<float, 4>& cache,
                     const nlohmann::json& reference);

  ReferenceFile file_;
  nlohmann::json configs_;
  NdArray<float, 4> key_, value_, attention_;
  std::vector<std::int64_t> stored_layers_;
  std::map<int, std::set<Place>> ties_;
  QaqDeviations largest_;
};

}  // namespace qaq::test
