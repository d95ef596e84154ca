#include "data/capture/run_totals.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

/// Writes fields into an object. JSON has no infinity: what is not finite becomes null.
struct Out {
  Json json = Json::object();

  template <class T>
  void operator()(const char* name, const T& field) {
    json[name] = field;
  }
  void operator()(const char* name, const std::optional<double>& field) {
    json[name] = field ? Json(*field) : Json(nullptr);
  }
  template <class T>
  void later(const char* name, const T& field) {
    (*this)(name, field);
  }
  template <class T>
  void unless(const char* name, const T& field, const T& usual) {
    if (field != usual) (*this)(name, field);
  }
  template <class T, class Visit>
  void nested(const char* name, T& part, const Visit& visit) {
    Out inner;
    visit(part, inner);
    json[name] = inner.json;
  }
};

struct In {
  const Json& json;

  template <class T>
  void operator()(const char* name, T& field) {
    const Json& value = json.at(name);
    if constexpr (std::is_same_v<T, double>) {
      field = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
    } else {
      field = value.get<T>();
    }
  }
  void operator()(const char* name, std::optional<double>& field) {
    const Json& value = json.at(name);
    field = value.is_null() ? std::nullopt : std::optional(value.get<double>());
  }
  /// What runs of older programs lack keeps its default.
  template <class T>
  void later(const char* name, T& field) {
    if (json.contains(name)) (*this)(name, field);
  }
  /// What is written only where it is not as usual.
  template <class T>
  void unless(const char* name, T& field, const T& usual) {
    field = usual;
    later(name, field);
  }
  template <class T, class Visit>
  void nested(const char* name, T& part, const Visit& visit) {
    In inner{json.at(name)};
    visit(part, inner);
  }
};

constexpr auto kVisitPacked = [](auto& packed, auto& v) {
  v("payload", packed.payload);
  v("scales", packed.scales);
  v("outlier_values", packed.outlier_values);
  v("outlier_indices", packed.outlier_indices);
  v("outlier_counts", packed.outlier_counts);
  v("bit_map", packed.bit_map);
  v("offsets", packed.offsets);
  v.unless("positions", packed.positions, std::int64_t{0});
};

constexpr auto kVisitCache = [](auto& cache, auto& v) {
  v("quantization_error", cache.quantization_error);
  v("average_n_bits", cache.average_n_bits);
  v("size_per_token_bits", cache.size_per_token_bits);
  v("mean_bits", cache.mean_bits);
  v("n_outliers", cache.n_outliers);
  v("n_values", cache.n_values);
  v.unless("n_kept", cache.n_kept, cache.n_values);
  v.later("n_bound_unmet", cache.n_bound_unmet);
  v.nested("packed", cache.packed, kVisitPacked);
};

/// Every single number of a replay. To add one: add its line.
constexpr auto kVisitResult = [](auto& result, auto& v) {
  v("prefix", result.prefix);
  v("dtype_bits", result.dtype_bits);
  v("in_sample", result.in_sample);
  v("mean_attention_error", result.mean_attention_error);
  v("mean_output_error", result.mean_output_error);
  v("ratio_paper", result.ratio_paper);
  v("ratio_nominal", result.ratio_nominal);
  v("ratio_packed", result.ratio_packed);
  v.nested("key", result.key, kVisitCache);
  v.nested("value", result.value, kVisitCache);
};

}  // namespace

Json totals_json(const ReplayResult& result) {
  Out out;
  kVisitResult(result, out);
  return out.json;
}

void set_totals(ReplayResult& result, const Json& totals) {
  In in{totals};
  kVisitResult(result, in);
}

}  // namespace qaq
