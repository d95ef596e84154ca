#include "data/capture/capture_shapes.h"

#include <string_view>

#include "core/base/text.h"
#include "data/capture/capture_layout.h"
#include "data/capture/stored_numbers.h"

namespace qaq {
namespace {

constexpr const char* kAgain = "capture again with this program";

struct AxisExtent {
  std::string_view axis;
  std::string_view word;  ///< what messages call the extent
  std::int64_t extent;
};

AxisExtent extent_of(const CaptureInfo& info, std::string_view axis) {
  const AxisExtent all[] = {
      {"layer", "n_layers", info.n_captured_layers()},
      {"head", "n_heads", info.shape.n_heads},
      {"kv_head", "n_kv_heads", info.shape.n_kv_heads},
      {"token", "n_tokens", info.n_tokens},
      {"query_token", "n_query_rows", info.n_query_rows()},
      {"channel", "head_dim", info.shape.head_dim},
  };
  for (const AxisExtent& candidate : all) {
    if (candidate.axis == axis) return candidate;
  }
  return {"", "any", 0};
}

void check_shape(const h5::File& file, const CaptureInfo& info, const h5::Dataset& dataset,
                 const std::vector<std::string>& axes) {
  const h5::Extents expected = expected_extents(info, axes);
  const h5::Extents& found = dataset.extents();
  bool good = found.size() == expected.size();
  std::string words, extents;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const AxisExtent axis = extent_of(info, axes[i]);
    const bool any = axes[i].empty();
    good = good && (any || found[i] == expected[i]);
    words += cat(i == 0 ? "" : ", ", axis.word);
    extents += cat(i == 0 ? "" : " x ", any ? "any" : cat(expected[i]));
  }
  if (!good) {
    file.refuse(dataset.path(),
                cat("has shape ", h5::extents_text(found),
                    ", where the model and "
                    "its tokens ask for ",
                    extents, " (", words, ")"),
                kAgain);
  }
}

bool needed(const CaptureInfo& info, std::string_view path) {
  if (path == "attention/scores" || path == "attention/query_token") {
    return info.profile == AttentionProfile::full || info.profile == AttentionProfile::window;
  }
  return path.starts_with("prompt/") || path.starts_with("kv/");
}

bool is_integer(std::string_view path) {
  return path == "prompt/token_ids" || path == "attention/query_token" || path == "logits/argmax" ||
         path == "logits/topk_ids";
}

bool is_large(std::string_view path) {
  return path.starts_with("kv/") || path == "query/values" || path == "attention/scores";
}

void check_type(const h5::File& file, const h5::Dataset& dataset, std::string_view path) {
  if (path == "prompt/token_text" || path == "prompt/token_bytes") return;  // checked when read
  const h5::Stored stored = dataset.stored();
  const bool integer = stored == h5::Stored::integer;
  const bool number = integer || stored != h5::Stored::other;
  if (!number || integer != is_integer(path)) {
    file.refuse(
        dataset.path(),
        cat("has a type that is ", integer ? "an integer" : "no integer", ", where ",
            is_integer(path) ? "an integer" : "a float (or uint16 as bfloat16)", " is expected"),
        kAgain);
  }
}

void check_finite(const h5::File& file, const h5::Dataset& dataset) {
  if (dataset.stored() == h5::Stored::integer || dataset.stored() == h5::Stored::other) return;
  std::vector<float> numbers(dataset.all().size());
  dataset.read(dataset.all(), H5T_NATIVE_FLOAT, numbers.data());
  const std::size_t bad = first_beyond(numbers, largest_storable(DType::f32));
  if (bad < numbers.size()) {
    file.refuse(dataset.path(), cat("number ", bad, " is not finite: ", numbers[bad]), kAgain);
  }
}

DType dtype_of(h5::Stored stored) {
  if (stored == h5::Stored::f16) return DType::f16;
  return stored == h5::Stored::bf16 ? DType::bf16 : DType::f32;
}

}  // namespace

h5::Extents expected_extents(const CaptureInfo& info, const std::vector<std::string>& axes) {
  h5::Extents extents;
  for (const std::string& axis : axes) {
    extents.push_back(static_cast<hsize_t>(extent_of(info, axis).extent));
  }
  return extents;
}

DType check_shapes(const h5::File& file, const CaptureInfo& info) {
  DType dtype = DType::f32;
  for (const DatasetMeaning& meaning : entry_datasets()) {
    const std::string path = cat(capture_path::kEntry, "/", meaning.path);
    if (!needed(info, meaning.path) && !file.has(path)) continue;
    const h5::Dataset dataset = h5::Dataset::open(file, path);
    check_shape(file, info, dataset, meaning.axes);
    check_type(file, dataset, meaning.path);
    if (!is_large(meaning.path)) check_finite(file, dataset);
    if (path == capture_path::kKey) dtype = dtype_of(dataset.stored());
  }
  return dtype;
}

}  // namespace qaq
