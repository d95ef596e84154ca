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
  const auto json = parse_settings(
      file, text,
      {"qaq-lesson-results",
       "results of lessons",
       {"command", "model", "text", "n_tokens", "prefix", "n_positions", "runs", "diagnoses"}});
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
  const auto read_runs = [&](const std::string& list) {
    if (!json.contains(list) || !json[list].is_array()) refuse(list, "is no list");
    std::vector<MeasuredRun> runs;
    for (std::size_t i = 0; i < json[list].size(); ++i) {
      const auto& run = json[list][i];
      if (!run.is_object() || !run.contains("name") || !run["name"].is_string()) {
        refuse(cat(list, "/", i), "has no name");
      }
      MeasuredRun made{run["name"].get<std::string>(), {}, {}};
      for (const auto& [key, value] : run.items()) {
        if (value.is_number()) made.metrics.emplace_back(key, value.get<double>());
        if (value.is_string()) made.texts.emplace_back(key, value.get<std::string>());
      }
      runs.push_back(std::move(made));
    }
    return runs;
  };
  out.runs = read_runs("runs");
  out.diagnoses = read_runs("diagnoses");
  return out;
}

}  // namespace qaq
