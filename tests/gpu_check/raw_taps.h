#pragma once

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/engine/tap.h"
#include "core/model/model_source.h"

namespace qaq::gpu_check {

/// Keeps taps of a run as they come: taps.bin has their float32 numbers one block behind the other,
/// taps.json says what they are. qaq_import_taps (developer/) makes a capture of them, where an
/// HDF5 library is.
class RawTaps : public TapSink {
 public:
  /// Throws Error{work} where the folder cannot be written.
  explicit RawTaps(const std::string& folder);

  bool wants(TapKind, std::int64_t, std::int64_t, std::int64_t) const override { return true; }
  void put(const TapBlock& block) override;
  std::int64_t top_logits() const override { return kTopLogits; }

  struct Origin {
    DType dtype = DType::f32;          ///< of weights and cache
    std::vector<std::int32_t> ids;     ///< the model's
    std::vector<std::int64_t> tokens;  ///< what they are called in the model that it is a slice of
    std::string device{};
    std::string commit{};
  };
  /// Writes taps.json. Throws Error{work} where anything could not be written.
  void finish(const ModelSource& model, const Origin& origin);

  static constexpr std::int64_t kTopLogits = 32;

 private:
  std::string folder_;
  std::ofstream numbers_;
  std::int64_t n_bytes_ = 0;
  nlohmann::ordered_json blocks_ = nlohmann::ordered_json::array();
};

/// What taps.json calls a kind, and the reverse, which throws Error{input}.
const char* tap_name(TapKind kind);
TapKind tap_named(const std::string& name);

}  // namespace qaq::gpu_check
