#include "tests/support/quantized_cache.h"

#include <algorithm>

#include "core/policy/importance.h"

namespace qaq::test {

ReferenceConfig reference_config(const nlohmann::json& params) {
  ReferenceConfig config;
  const bool is_key = params.at("key_or_value_cache") == "key";
  config.side = is_key ? CacheSide::key : CacheSide::value;
  config.params.dtype_bits = 32;  // the reference ran in float32
  (is_key ? config.params.value : config.params.key).level = Level::no_quantization;
  const std::string section = is_key ? "key." : "value.";
  for (const auto& [name, value] : params.items()) {
    if (name == "key_or_value_cache") continue;
    const std::string own = section + (name == "method_name" ? "method" : name);
    if (value.is_boolean()) {
      set_parameter(config.params, own, ParameterValue(value.get<bool>()));
    } else if (value.is_string()) {
      set_parameter(config.params, own, ParameterValue(value.get<std::string>()));
    } else {
      set_parameter(config.params, own, ParameterValue(value.get<double>()));
    }
  }
  return config;
}

QaqParams reference_params(const nlohmann::json& reference) {
  const auto config_of = [&](const char* name) {
    const nlohmann::json& params = reference.at(name);
    return reference_config(params.is_string() ? nlohmann::json::parse(params.get<std::string>())
                                               : params);
  };
  QaqParams out = config_of("key_params").params;
  out.value = config_of("value_params").params.value;
  return out;
}

QuantizedCache quantize_cache(const ReferenceConfig& config, const NdView<const float, 4>& cache,
                              const NdView<const float, 4>& attention) {
  const CacheShape shape{cache.shape(0), cache.shape(1), cache.shape(2), cache.shape(3)};
  const QaqPolicy policy(config.params);
  const PolicyNeeds needs = policy.needs(config.side);

  QuantizedCache out;
  PolicyView view;
  view.side = config.side;
  view.layout = UnitLayout(needs.quantizer.level, shape);
  std::vector<CacheLayer> layers;
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) layers.push_back(cache.sub(layer));
  if (needs.quantizer.level != Level::no_quantization) {
    out.stats.resize(static_cast<std::size_t>(view.layout.n_units()));
    fill_unit_stats(view.layout, needs.quantizer, 0, layers, out.stats);
    view.stats = out.stats;
  }
  NdArray<float, 3> importance({shape.n_layers, shape.n_kv_heads, shape.n_tokens});
  if (needs.importance) {
    const std::int64_t all = attention.shape(2), n = std::min(needs.importance->n_rows, all);
    for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
      NdArray<float, 3> rows({attention.shape(1), n, shape.n_tokens});
      for (std::int64_t head = 0; head < attention.shape(1); ++head) {
        const float* newest = attention.sub(layer, head, all - n).data();
        std::copy(newest, newest + n * shape.n_tokens, rows.sub(head).data());
      }
      window_importance(rows.view(), needs.importance->reduce, importance.sub(layer));
    }
    view.importance = importance.view();
  }
  out.plan = policy.plan(view);

  out.values = NdArray<float, 4>(cache.shape());
  std::copy(cache.span().begin(), cache.span().end(), out.values.data());
  out.outliers = NdArray<std::uint8_t, 4>(
      {shape.n_layers, shape.n_kv_heads, shape.n_tokens, (shape.head_dim + 7) / 8});
  if (out.plan.keeps_all()) return out;
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
    // Whatever is not written shows.
    std::fill(out.values.sub(layer).span().begin(), out.values.sub(layer).span().end(), 1e30f);
    quantize_layer(out.plan, out.stats, layer, layers[static_cast<std::size_t>(layer)],
                   {out.values.sub(layer), out.outliers.sub(layer)});
  }
  return out;
}

}  // namespace qaq::test
