#include "data/capture/capture_rope.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "core/model/rope.h"

namespace qaq {
namespace {

using Json = nlohmann::json;

std::string kind_of(const Json& scaling) {
  for (const char* key : {"rope_type", "type"}) {
    if (const auto kind = scaling.find(key); kind != scaling.end() && kind->is_string()) {
      return kind->get<std::string>();
    }
  }
  return "default";
}

double number_in(const Json& object, const char* key, double otherwise) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : otherwise;
}

}  // namespace

std::vector<double> plain_rope_frequencies(const std::string& config_json, double theta,
                                           std::int64_t head_dim) {
  if (theta <= 0) return {};
  const Json config = Json::parse(config_json, nullptr, false);
  RopeSpec rope{.theta = theta, .n_rotary_dim = head_dim};
  if (config.is_object()) {
    const double share =
        number_in(config, "partial_rotary_factor", number_in(config, "rotary_pct", 1.0));
    rope.n_rotary_dim = std::llround(share * static_cast<double>(head_dim));
    for (const char* key : {"rope_scaling", "rope_parameters"}) {
      const auto scaling = config.find(key);
      if (scaling == config.end() || !scaling->is_object()) continue;
      const std::string kind = kind_of(*scaling);
      if ((kind != "default" && kind != "linear") || scaling->contains("gguf_rope_freqs")) {
        return {};
      }
      if (kind == "linear")
        rope = {.kind = RopeKind::linear,
                .theta = rope.theta,
                .n_rotary_dim = rope.n_rotary_dim,
                .factor = number_in(*scaling, "factor", 1.0)};
    }
  }
  return rope_frequencies(rope, 1);
}

}  // namespace qaq
