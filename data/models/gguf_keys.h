#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "core/base/text.h"
#include "data/models/gguf_metadata.h"

namespace qaq {

/// The keys of an architecture in GGUF metadata: those that begin with its name.
struct GgufKeys {
  const GgufMetadata& metadata;
  std::string architecture;

  /// "llama.block_count" of "block_count".
  std::string key(std::string_view name) const { return cat(architecture, ".", name); }
  bool contains(std::string_view name) const { return metadata.contains(key(name)); }

  /// A count from 1 to 2^31 - 1: larger ones are damage, and products of two still fit into 64
  /// bits. Throws Error{input} naming the key.
  std::int64_t size(std::string_view name) const {
    return checked_size(key(name), metadata.count(key(name)));
  }
  std::int64_t size_or(std::string_view name, std::int64_t fallback) const {
    return contains(name) ? size(name) : fallback;
  }
  double positive_or(std::string_view name, double fallback) const {
    const double value = metadata.real_or(key(name), fallback);
    if (value <= 0) metadata.refuse(key(name), cat(value, " is not positive"));
    return value;
  }
  [[noreturn]] void refuse(std::string_view name, const std::string& what,
                           const std::string& cure = {}) const {
    metadata.refuse(key(name), what, cure);
  }

  std::int64_t checked_size(const std::string& full_key, std::int64_t value) const {
    constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
    if (value < 1 || value > kMax) {
      metadata.refuse(full_key, cat(value, " is out of range: from 1 to ", kMax, " is possible"));
    }
    return value;
  }
};

}  // namespace qaq
