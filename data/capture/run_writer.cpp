#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/replay.h"
#include "core/replay/run_mode.h"
#include "core/replay/streaming.h"
#include "data/capture/capture_file.h"
#include "data/capture/capture_info_reader.h"
#include "data/capture/capture_layout.h"
#include "data/capture/disk_room.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/h5_packed.h"
#include "data/capture/h5_scale.h"
#include "data/capture/h5_thread.h"
#include "data/capture/run_totals.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kUnfinished = "/runs/.unfinished";

bool is_plain_name(const std::string& name) {
  const auto plain = [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '/' && c != 0x7f;
  };
  return !name.empty() && name.size() <= 100 && name.front() != '.' &&
         std::ranges::all_of(name, plain) && !invalid_utf8_offset(name);
}

using Numbers = std::variant<std::vector<std::int64_t>, std::vector<double>>;

/// What a run's group is to hold, whatever its mode.
struct RunContent {
  struct Array {
    std::string name;
    h5::Extents extents;
    std::variant<std::span<const std::uint8_t>, std::span<const float>> values;
  };
  std::vector<Array> arrays;                               ///< bits and masks shrink to little
  std::vector<std::pair<std::string, Numbers>> series;     ///< one number a step
  std::vector<std::pair<std::string, std::string>> texts;  ///< attributes

  template <class T, std::size_t Rank>
  void add(const std::string& name, const NdArray<T, Rank>& values) {
    if (values.empty()) return;
    arrays.push_back({name, {values.shape().begin(), values.shape().end()}, values.span()});
  }

  /// More than it can take in the file.
  std::int64_t room() const {
    constexpr std::int64_t kNamesAndIndices = 1 << 20;
    std::size_t bytes = 0;
    for (const Array& array : arrays) {
      std::visit([&](const auto& values) { bytes += values.size_bytes(); }, array.values);
    }
    for (const auto& [name, numbers] : series) {
      std::visit([&](const auto& values) { bytes += 8 * values.size(); }, numbers);
    }
    return kNamesAndIndices + static_cast<std::int64_t>(bytes);
  }
};

void write_content(const h5::File& file, const RunContent& content) {
  for (const RunContent::Array& array : content.arrays) {
    const std::string path = cat(kUnfinished, "/", array.name);
    std::visit(
        [&](const auto& values) { h5::PackedArray::of(path, array.extents, values).write(file); },
        array.values);
  }
  for (const auto& [name, numbers] : content.series) {
    std::visit(
        [&](const auto& values) {
          h5::write_array(file, cat(kUnfinished, "/", name), {values.size()}, std::span(values));
        },
        numbers);
  }
  const h5::Attributes run(file, kUnfinished);
  for (const auto& [name, text] : content.texts) run.set(name, text);
}

/// Arrays of both modes: a run's or what a stream left.
template <class Cache>
void add_cache(const std::string& side, const Cache& cache, RunContent& content) {
  content.add(side + "_bits", cache.bits);
  content.add(side + "_outliers", cache.outliers);
  content.add(side + "_error", cache.error);
}

/// A series a figure of streaming_steps_json(), under its own name behind the cache's.
void add_series(const Json& figures, const std::string& prefix, RunContent& content) {
  for (const auto& [name, numbers] : figures.items()) {
    if (numbers.is_object()) {
      add_series(numbers, cat(prefix, name, "_"), content);
    } else if (numbers.front().is_number_integer()) {
      content.series.emplace_back(prefix + name, numbers.get<std::vector<std::int64_t>>());
    } else {
      content.series.emplace_back(prefix + name, numbers.get<std::vector<double>>());
    }
  }
}

/// Rows of steps among the capture's attention rows; NaN in those before the first.
NdArray<float, 3> among_rows(const NdArray<float, 3>& of_steps, const CaptureInfo& info) {
  if (of_steps.empty()) return {};
  NdArray<float, 3> out({of_steps.shape(0), of_steps.shape(1), info.n_query_rows()},
                        std::numeric_limits<float>::quiet_NaN());
  const std::int64_t n_before = info.n_query_rows() - of_steps.shape(2);
  for (std::int64_t layer = 0; layer < out.shape(0); ++layer) {
    for (std::int64_t head = 0; head < out.shape(1); ++head) {
      std::ranges::copy(of_steps.view().sub(layer, head).span(),
                        out.sub(layer, head).data() + n_before);
    }
  }
  return out;
}

void remove_run(const h5::File& file, const std::string& path) {
  for (const std::string& member : file.members(path)) {
    h5::detach_scales(file, cat(path, "/", member));
  }
  file.remove(path);
}

void describe_run(const h5::File& file, const std::string& path) {
  for (const DatasetMeaning& meaning : run_datasets()) {
    const std::string dataset = cat(path, "/", meaning.path);
    if (!file.has(dataset)) continue;
    h5::attach_scales(file, dataset, capture_path::kAxes, meaning.axes);
    const h5::Attributes attributes(file, dataset);
    attributes.set("long_name", meaning.long_name);
    attributes.set("units", meaning.units);
  }
}

/// The capture that `bits` (n_layers, n_kv_heads, T) are of.
CaptureInfo fitting_capture(const std::string& path, const NdArray<std::uint8_t, 3>& bits) {
  CaptureInfo info =
      h5::thread().run([&] { return read_capture_info(h5::File(path, h5::Access::read)); });
  const Shape<3> expected{info.n_captured_layers(), info.shape.n_kv_heads, info.n_tokens};
  if (bits.shape() != expected) {
    refuse_input(
        {.file = path,
         .what = "is not the capture that was replayed: its layers, heads or tokens differ",
         .cure = "store the run in the capture that it comes from"});
  }
  return info;
}

/// Writes under a name that no reader lists, and gives the run its own name when it is whole.
void write_run(const h5::File& file, const std::string& path, const RunContent& content) {
  if (!file.has(capture_path::kRuns)) file.create_group(capture_path::kRuns);
  if (file.has(kUnfinished)) file.remove(kUnfinished);  // left by a writer that was killed
  file.create_group(kUnfinished);
  try {
    write_content(file, content);
    file.flush();
  } catch (...) {
    try {
      file.remove(kUnfinished);
    } catch (const Error&) {
      // The first failure says more; what is left is no run, and the next writer removes it.
    }
    throw;
  }
  if (file.has(path)) remove_run(file, path);
  file.move(kUnfinished, path);
  describe_run(file, path);
}

void save(const std::string& path, const std::string& name, const RunContent& content) {
  DiskRoom room(path, content.room());
  h5::thread().run([&] {
    h5::File file(path, h5::Access::modify);
    room.hand_over();
    write_run(file, cat(capture_path::kRuns, "/", name), content);
    file.close();
  });
}

}  // namespace

void require_run_name(const std::string& name) {
  if (is_plain_name(name)) return;
  refuse_usage({.place = "run name",
                .what = cat("'", name, "' cannot name a run"),
                .cure = "use 1 to 100 characters without '/', not beginning with '.'"});
}

void save_run(const std::string& path, const std::string& name, const ReplayResult& result,
              const std::string& provenance_json) {
  require_run_name(name);
  fitting_capture(path, result.key.bits);
  RunContent content;
  add_cache("key", result.key, content);
  add_cache("value", result.value, content);
  content.add("attention_error", result.attention_error);
  content.add("output_error", result.output_error);
  content.texts = {{"policy", result.policy},
                   {"mode", std::string(name_of(RunMode::batch))},
                   {"parameters_json", parameters_json(result.parameters).dump()},
                   {"metrics_json", metrics_json(result).dump()},
                   {"totals_json", totals_json(result).dump()},
                   {"provenance_json", provenance_json}};
  save(path, name, content);
}

void save_run(const std::string& path, const std::string& name, const StreamingResult& result,
              const std::string& provenance_json) {
  require_run_name(name);
  const CaptureInfo info = fitting_capture(path, result.key.bits);
  const NdArray<float, 3> attention_error = among_rows(result.attention_error, info),
                          output_error = among_rows(result.output_error, info);
  RunContent content;
  add_cache("key", result.key, content);
  add_cache("value", result.value, content);
  content.add("attention_error", attention_error);
  content.add("output_error", output_error);
  add_series(streaming_steps_json(result), "step_", content);
  content.texts = {{"policy", result.policy},
                   {"mode", std::string(name_of(RunMode::streaming))},
                   {"parameters_json", parameters_json(result.parameters).dump()},
                   {"metrics_json", streaming_totals_json(result).dump()},
                   {"provenance_json", provenance_json}};
  save(path, name, content);
}

}  // namespace qaq
