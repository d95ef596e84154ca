#include "data/packed/packed_header.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/parameters.h"
#include "core/base/text.h"
#include "core/quant/arith.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kDTypes{DType::f32, DType::f16, DType::bf16};

template <class Enum>
std::string choice_name(Enum choice) {
  return std::string(ChoiceNames<Enum>::names.at(static_cast<std::size_t>(choice)));
}

Json cache_json(const PackedCache& cache) {
  Json components;
  for (std::size_t i = 0; i < kPackedParts; ++i) {
    components[std::string(kPackedPartNames[i])] = cache.parts[i].size();
  }
  const QuantizerSpec& quantizer = cache.quantizer;
  Json out{{"level", choice_name(quantizer.level)},
           {"method", choice_name(quantizer.method)},
           {"range_rule", choice_name(quantizer.range_rule)},
           {"symmetric", quantizer.symmetric},
           {"outliers_ratio", quantizer.outliers_ratio},
           {"outlier_index", choice_name(cache.format.outlier_index)},
           {"scale_bytes", cache.format.scale_bytes},
           {"n_bits", cache.n_bits_vary ? Json(nullptr) : Json(cache.n_bits)},
           {"components", std::move(components)}};
  // Files of the authors' rule stay as they were.
  if (quantizer.outlier_rule == OutlierRule::nsigma) {
    out["outlier_rule"] = choice_name(quantizer.outlier_rule);
    out["n_sigma"] = quantizer.n_sigma;
    out["max_outliers"] = quantizer.max_outliers;
  }
  return out;
}

/// One object of the header with getters that refuse.
class HeaderObject {
 public:
  HeaderObject(const Json& json, std::string path, const std::string& file)
      : json_(json), path_(std::move(path)), file_(file) {
    if (!json.is_object()) refuse("", "is no object");
  }

  HeaderObject object(const char* key) const { return {need(key), path_ + key + "/", file_}; }
  std::uint64_t whole(const char* key, std::uint64_t most) const {
    const Json& value = need(key);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
      refuse(key, cat("is no whole number up to ", most));
    }
    return value.get<std::uint64_t>();
  }
  std::int64_t extent(const char* key) const {
    const auto n = static_cast<std::int64_t>(whole(key, std::uint64_t{1} << 48));
    if (n == 0) refuse(key, "is 0");
    return n;
  }
  bool has(const char* key) const { return json_.contains(key); }
  double positive(const char* key) const {
    const Json& value = need(key);
    if (!value.is_number() || !(value.get<double>() > 0)) refuse(key, "is no number above 0");
    return value.get<double>();
  }
  bool is_null(const char* key) const { return need(key).is_null(); }
  bool flag(const char* key) const {
    if (!need(key).is_boolean()) refuse(key, "is neither true nor false");
    return need(key).get<bool>();
  }
  double share(const char* key) const {
    const Json& value = need(key);
    if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() < 1)) {
      refuse(key, "is no number from 0 to below 1");
    }
    return value.get<double>();
  }
  template <class Enum>
  Enum choice(const char* key) const {
    const auto& names = ChoiceNames<Enum>::names;
    const std::string text = string(key);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == text) return static_cast<Enum>(i);
    }
    refuse(key, cat("'", text, "' is unknown"));
  }
  DType dtype(const char* key) const {
    const std::string text = string(key);
    for (const DType dtype : kDTypes) {
      if (name_of(dtype) == text) return dtype;
    }
    refuse(key, cat("'", text, "' is unknown"));
  }
  [[noreturn]] void refuse(const std::string& key, const std::string& what) const {
    refuse_input({.file = file_,
                  .place = cat("the header, ", path_, key),
                  .what = what,
                  .cure = "pack the capture again with this version (qaq replay --save-packed)"});
  }

 private:
  const Json& need(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) refuse(key, "is missing");
    return *found;
  }
  std::string string(const char* key) const {
    if (!need(key).is_string()) refuse(key, "is no text");
    return need(key).get<std::string>();
  }

  const Json& json_;
  std::string path_;
  const std::string& file_;
};

DescribedCache described_cache(const HeaderObject& json, const CacheShape& shape, DType dtype) {
  DescribedCache out;
  PackedCache& cache = out.cache;
  cache.shape = shape;
  cache.quantizer.level = json.choice<Level>("level");
  cache.quantizer.method = json.choice<Method>("method");
  cache.quantizer.range_rule = json.choice<RangeRule>("range_rule");
  cache.quantizer.symmetric = json.flag("symmetric");
  cache.quantizer.outliers_ratio = json.share("outliers_ratio");
  if (json.has("outlier_rule")) {
    cache.quantizer.outlier_rule = json.choice<OutlierRule>("outlier_rule");
    cache.quantizer.n_sigma = json.positive("n_sigma");
    cache.quantizer.max_outliers = json.share("max_outliers");
  }
  cache.quantizer.outlier_index = json.choice<OutlierIndex>("outlier_index");
  cache.format = {.dtype = dtype,
                  .scale_bytes = static_cast<std::int64_t>(json.whole("scale_bytes", 4)),
                  .outlier_index = cache.quantizer.outlier_index};
  if (cache.format.scale_bytes != 2 && cache.format.scale_bytes != 4) {
    json.refuse("scale_bytes", "is neither 2 nor 4");
  }
  cache.n_bits_vary = json.is_null("n_bits");
  if (!cache.n_bits_vary) cache.n_bits = static_cast<int>(json.whole("n_bits", kMaxBits));
  const HeaderObject components = json.object("components");
  for (std::size_t i = 0; i < kPackedParts; ++i) {
    out.sizes[i] = components.whole(std::string(kPackedPartNames[i]).c_str(),
                                    std::numeric_limits<std::int64_t>::max());
  }
  return out;
}

}  // namespace

Json packed_header_json(const PackedCaches& caches) {
  const CacheShape& shape = caches.key.shape;
  return {{"shape",
           {{"n_layers", shape.n_layers},
            {"n_kv_heads", shape.n_kv_heads},
            {"n_tokens", shape.n_tokens},
            {"head_dim", shape.head_dim}}},
          {"dtype", name_of(caches.key.format.dtype)},
          {"caches", {{"key", cache_json(caches.key)}, {"value", cache_json(caches.value)}}}};
}

DescribedCaches described_caches(const Json& header, const std::string& file) {
  const HeaderObject json(header, "", file);
  const HeaderObject extents = json.object("shape");
  const CacheShape shape{extents.extent("n_layers"), extents.extent("n_kv_heads"),
                         extents.extent("n_tokens"), extents.extent("head_dim")};
  const DType dtype = json.dtype("dtype");
  const HeaderObject caches = json.object("caches");
  return {described_cache(caches.object("key"), shape, dtype),
          described_cache(caches.object("value"), shape, dtype)};
}

}  // namespace qaq
