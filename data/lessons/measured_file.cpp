#include "data/lessons/measured_file.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/lessons/bundled.h"
#include "data/presets/settings_file.h"

namespace qaq {

MeasuredRuns bundled_measured_runs() {
  return parse_measured_runs("measured.json", std::string(bundled_measurements()));
}

MeasuredRuns parse_measured_runs(const std::string& file, const std::string& text) {
  const auto json =
      parse_settings(file, text,
                     {"qaq-lesson-results",
                      "results of lessons",
                      {"command", "model", "text", "n_tokens", "prefix", "n_positions", "runs"}});
  MeasuredRuns out;
  const auto refuse = [&](const std::string& place, const char* what) {
    refuse_input({.file = file, .place = place, .what = what, .cure = "make it with measure.py"});
  };
  for (const auto& [key, into] : {std::pair{"command", &out.command},
                                  std::pair{"model", &out.model}, std::pair{"text", &out.text}}) {
    if (!json.contains(key) || !json[key].is_string()) refuse(key, "is no text");
    *into = json[key].get<std::string>();
  }
  for (const auto& [key, into] :
       {std::pair{"n_tokens", &out.n_tokens}, std::pair{"prefix", &out.prefix},
        std::pair{"n_positions", &out.n_positions}}) {
    if (!json.contains(key) || !json[key].is_number_integer()) refuse(key, "is no whole number");
    *into = json[key].get<std::int64_t>();
  }
  if (!json.contains("runs") || !json["runs"].is_array()) refuse("runs", "is no list");
  for (std::size_t i = 0; i < json["runs"].size(); ++i) {
    const auto& run = json["runs"][i];
    const std::string place = cat("runs/", i);
    if (!run.is_object() || !run.contains("name") || !run["name"].is_string()) {
      refuse(place, "has no name");
    }
    MeasuredRun made{run["name"].get<std::string>(), {}};
    for (const auto& [key, value] : run.items()) {
      if (value.is_number()) made.metrics.emplace_back(key, value.get<double>());
    }
    out.runs.push_back(std::move(made));
  }
  return out;
}

}  // namespace qaq
