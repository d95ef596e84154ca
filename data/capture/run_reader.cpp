#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/policies.h"
#include "core/policy/qaq_params.h"
#include "core/replay/run_mode.h"
#include "data/capture/capture_file.h"
#include "data/capture/capture_info_reader.h"
#include "data/capture/capture_layout.h"
#include "data/capture/capture_shapes.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/h5_thread.h"
#include "data/capture/run_names.h"
#include "data/capture/run_totals.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kAgain = "replay again and store it again";

std::string needed_text(const h5::File& file, const std::string& run, const char* name) {
  const std::optional<std::string> text = h5::Attributes(file, run).text(name);
  if (!text) file.refuse(cat(run, "@", name), "is missing", kAgain);
  return *text;
}

ParameterValue value_of(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  return json.get<std::string>();
}

std::vector<Parameter> parameters_of(const std::string& policy, const Json& json) {
  if (policy == "qaq") {
    QaqParams params;
    for (const auto& [name, value] : json.items()) set_parameter(params, name, value_of(value));
    return list_parameters(params);
  }
  std::vector<std::string> assignments;
  for (const auto& [name, value] : json.items()) {
    assignments.push_back(cat(name, "=", value_text(value_of(value))));
  }
  return make_policy(policy, assignments)->parameters();
}

/// Calls `read`, and refuses the attribute where its JSON is not what this program writes.
template <class Read>
void read_json(const h5::File& file, const std::string& run, const char* name, const Read& read) {
  const std::string text = needed_text(file, run, name);
  try {
    read(Json::parse(text));
  } catch (const nlohmann::json::exception& error) {
    file.refuse(cat(run, "@", name), error.what(), kAgain);
  } catch (const Error& error) {
    file.refuse(cat(run, "@", name), error.text().what, kAgain);
  }
}

/// The arrays of one run, held against the shapes that its capture gives them.
struct RunArrays {
  const h5::File& file;
  const CaptureInfo& info;
  std::string run;

  h5::Extents expected(std::string_view name) const {
    const auto& all = run_datasets();
    const auto meaning = std::ranges::find(all, name, &DatasetMeaning::path);
    h5::Extents extents = expected_extents(info, meaning->axes);
    // Masks are packed, eight channels to a byte.
    if (extents.back() == 0) extents.back() = static_cast<hsize_t>((info.shape.head_dim + 7) / 8);
    return extents;
  }

  /// Empty where the dataset is absent and not `needed`.
  template <class T, std::size_t Rank>
  void read(const char* name, bool needed, NdArray<T, Rank>& out) const {
    const std::string path = cat(run, "/", name);
    if (!needed && !file.has(path)) return;
    const h5::Extents found = h5::Dataset::open(file, path).extents();
    const h5::Extents extents = expected(name);
    if (found != extents) {
      file.refuse(path,
                  cat("has shape ", h5::extents_text(found), ", where the capture asks for ",
                      h5::extents_text(extents)),
                  kAgain);
    }
    const std::vector<T> values = h5::read_array<T>(file, path);
    Shape<Rank> shape{};
    std::ranges::copy(extents, shape.begin());
    out = NdArray<T, Rank>(shape);
    std::ranges::copy(values, out.data());
  }
};

void check_totals(const h5::File& file, const std::string& run, const CaptureInfo& info,
                  const ReplayResult& result) {
  if (result.prefix < 1 || result.prefix > info.n_tokens) {
    file.refuse(cat(run, "@totals_json"),
                cat("says that ", result.prefix, " of ", info.n_tokens, " tokens were quantized"),
                kAgain);
  }
}

SharedReplay read_run(const h5::File& file, const std::string& run) {
  const CaptureInfo info = read_capture_info(file);
  if (!file.has(run)) file.refuse(run, "is missing", "see the stored runs with qaq info");
  // Runs of older programs have no mode: there was one.
  const std::string mode = h5::Attributes(file, run).text("mode").value_or("batch");
  if (mode != name_of(RunMode::batch)) {
    file.refuse(cat(run, "@mode"), cat("is '", mode, "', where a batch replay is asked for"),
                "name another run; see qaq info");
  }
  ReplayResult result;
  result.policy = needed_text(file, run, "policy");
  read_json(file, run, "parameters_json",
            [&](const Json& json) { result.parameters = parameters_of(result.policy, json); });
  read_json(file, run, "totals_json", [&](const Json& json) { set_totals(result, json); });
  check_totals(file, run, info, result);
  const RunArrays arrays{file, info, run};
  arrays.read("key_bits", true, result.key.bits);
  arrays.read("value_bits", true, result.value.bits);
  arrays.read("key_outliers", true, result.key.outliers);
  arrays.read("value_outliers", true, result.value.outliers);
  arrays.read("key_error", true, result.key.error);
  arrays.read("value_error", true, result.value.error);
  arrays.read("attention_error", false, result.attention_error);
  arrays.read("output_error", false, result.output_error);
  return std::make_shared<const ReplayResult>(std::move(result));
}

}  // namespace

bool is_capture(const std::string& path) {
  try {
    return h5::thread().run([&] {
      return h5::Attributes(h5::File(path, h5::Access::read), "/").text("format") == kCaptureFormat;
    });
  } catch (const Error&) {
    return false;
  }
}

std::vector<std::string> run_names(const h5::File& file) {
  std::vector<std::string> names;
  if (!file.has(capture_path::kRuns)) return names;
  for (const std::string& name : file.members(capture_path::kRuns)) {
    if (!name.starts_with('.')) names.push_back(name);  // one that a killed writer left
  }
  return names;
}

std::vector<std::string> list_runs(const std::string& path) {
  return h5::thread().run([&] { return run_names(h5::File(path, h5::Access::read)); });
}

SharedReplay load_run(const std::string& path, const std::string& name) {
  return h5::thread().run([&] {
    return read_run(h5::File(path, h5::Access::read), cat(capture_path::kRuns, "/", name));
  });
}

}  // namespace qaq
