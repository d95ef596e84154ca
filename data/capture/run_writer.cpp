#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/replay.h"
#include "core/replay/run_mode.h"
#include "data/capture/capture_file.h"
#include "data/capture/capture_info_reader.h"
#include "data/capture/capture_layout.h"
#include "data/capture/disk_room.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/h5_packed.h"
#include "data/capture/h5_scale.h"
#include "data/capture/h5_thread.h"
#include "data/capture/run_totals.h"

namespace qaq {
namespace {

constexpr const char* kUnfinished = "/runs/.unfinished";

bool is_plain_name(const std::string& name) {
  const auto plain = [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '/' && c != 0x7f;
  };
  return !name.empty() && name.size() <= 100 && name.front() != '.' &&
         std::ranges::all_of(name, plain) && !invalid_utf8_offset(name);
}

/// Bits and masks shrink to little.
template <class T, std::size_t Rank>
void write_packed(const h5::File& file, const std::string& name, const NdArray<T, Rank>& values) {
  if (values.empty()) return;
  h5::PackedArray::of<T>(cat(kUnfinished, "/", name),
                         {values.shape().begin(), values.shape().end()}, values.span())
      .write(file);
}

void write_arrays(const h5::File& file, const ReplayResult& result) {
  write_packed(file, "key_bits", result.key.bits);
  write_packed(file, "value_bits", result.value.bits);
  write_packed(file, "key_outliers", result.key.outliers);
  write_packed(file, "value_outliers", result.value.outliers);
  write_packed(file, "key_error", result.key.error);
  write_packed(file, "value_error", result.value.error);
  write_packed(file, "attention_error", result.attention_error);
  write_packed(file, "output_error", result.output_error);
}

void write_attributes(const h5::File& file, const ReplayResult& result,
                      const std::string& provenance_json) {
  const h5::Attributes run(file, kUnfinished);
  run.set("policy", result.policy);
  run.set("mode", std::string(name_of(RunMode::batch)));
  run.set("parameters_json", parameters_json(result.parameters).dump());
  run.set("metrics_json", metrics_json(result).dump());
  run.set("totals_json", totals_json(result).dump());
  run.set("provenance_json", provenance_json);
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

void check_fits(const std::string& path, const ReplayResult& result) {
  const CaptureInfo info =
      h5::thread().run([&] { return read_capture_info(h5::File(path, h5::Access::read)); });
  const Shape<3> expected{info.n_captured_layers(), info.shape.n_kv_heads, info.n_tokens};
  if (result.key.bits.shape() != expected || result.value.bits.shape() != expected) {
    refuse_input(
        {.file = path,
         .what = "is not the capture that was replayed: its layers, heads or tokens differ",
         .cure = "store the run in the capture that it comes from"});
  }
}

template <class T, std::size_t Rank>
std::int64_t bytes_in(const NdArray<T, Rank>& values) {
  return values.size() * static_cast<std::int64_t>(sizeof(T));
}

/// More than the run can take in the file.
std::int64_t room_for(const ReplayResult& result) {
  constexpr std::int64_t kNamesAndIndices = 1 << 20;
  std::int64_t bytes = kNamesAndIndices;
  for (const CacheReplay* cache : {&result.key, &result.value}) {
    bytes += bytes_in(cache->bits) + bytes_in(cache->outliers) + bytes_in(cache->error);
  }
  return bytes + bytes_in(result.attention_error) + bytes_in(result.output_error);
}

/// Writes under a name that no reader lists, and gives the run its own name when it is whole.
void write_run(const h5::File& file, const std::string& path, const ReplayResult& result,
               const std::string& provenance_json) {
  if (!file.has(capture_path::kRuns)) file.create_group(capture_path::kRuns);
  if (file.has(kUnfinished)) file.remove(kUnfinished);  // left by a writer that was killed
  file.create_group(kUnfinished);
  try {
    write_arrays(file, result);
    write_attributes(file, result, provenance_json);
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

}  // namespace

void save_run(const std::string& path, const std::string& name, const ReplayResult& result,
              const std::string& provenance_json) {
  if (!is_plain_name(name)) {
    refuse_usage({.place = "run name",
                  .what = cat("'", name, "' cannot name a run"),
                  .cure = "use 1 to 100 characters without '/', not beginning with '.'"});
  }
  check_fits(path, result);
  DiskRoom room(path, room_for(result));
  h5::thread().run([&] {
    h5::File file(path, h5::Access::modify);
    room.hand_over();
    write_run(file, cat(capture_path::kRuns, "/", name), result, provenance_json);
    file.close();
  });
}

}  // namespace qaq
