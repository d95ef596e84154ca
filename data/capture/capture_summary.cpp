#include "data/capture/capture_summary.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "data/capture/capture_file.h"
#include "data/capture/capture_layout.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/h5_thread.h"
#include "data/capture/profile_name.h"
#include "data/capture/run_names.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kHeadBytes = 200;

/// The first bytes of a text, cut between characters.
std::string head_of(const std::string& text) {
  if (text.size() <= kHeadBytes) return text;
  std::size_t end = kHeadBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "\u2026";
}

/// JSON that a file holds as text; the text itself where it is none.
Json parsed(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json(text) : json;
}

std::string type_name(const h5::Dataset& dataset) {
  switch (dataset.stored()) {
    case h5::Stored::f32:
      return "f32";
    case h5::Stored::f16:
      return "f16";
    case h5::Stored::bf16:
      return "bf16";
    case h5::Stored::converted_float:
      return "float";
    case h5::Stored::other:
      break;
    case h5::Stored::integer: {
      const h5::Handle type{H5Dget_type(dataset.id()), H5Tclose};
      const bool is_signed = H5Tget_sign(type.id()) == H5T_SGN_2;
      return cat(is_signed ? "i" : "u", 8 * H5Tget_size(type.id()));
    }
  }
  const h5::Handle type{H5Dget_type(dataset.id()), H5Tclose};
  return H5Tget_class(type.id()) == H5T_STRING ? "text" : "bytes";
}

Json dataset_json(const h5::File& file, const std::string& path) {
  const h5::Dataset dataset = h5::Dataset::open(file, path);
  const h5::Handle properties{H5Dget_create_plist(dataset.id()), H5Pclose};
  const bool chunked = H5Pget_layout(properties.id()) == H5D_CHUNKED;
  const bool packed = H5Pget_nfilters(properties.id()) > 0;
  return {{"path", path},
          {"shape", dataset.extents()},
          {"dtype", type_name(dataset)},
          {"layout", packed    ? "chunked, packed"
                     : chunked ? "chunked"
                               : "contiguous"},
          {"bytes", H5Dget_storage_size(dataset.id())}};
}

Json datasets_json(const h5::File& file) {
  Json list = Json::array();
  for (const DatasetMeaning& meaning : entry_datasets()) {
    const std::string path = cat(capture_path::kEntry, "/", meaning.path);
    if (file.has(path)) list.push_back(dataset_json(file, path));
  }
  return list;
}

Json runs_json(const h5::File& file) {
  Json list = Json::array();
  for (const std::string& name : run_names(file)) {
    const std::string path = cat(capture_path::kRuns, "/", name);
    const h5::Attributes run(file, path);
    hsize_t bytes = 0;
    for (const DatasetMeaning& meaning : run_datasets()) {
      const std::string dataset = cat(path, "/", meaning.path);
      if (file.has(dataset)) bytes += H5Dget_storage_size(h5::Dataset::open(file, dataset).id());
    }
    list.push_back({{"name", name},
                    {"policy", run.text("policy").value_or("")},
                    {"mode", run.text("mode").value_or("batch")},
                    {"bytes", bytes},
                    {"parameters", parsed(run.text("parameters_json").value_or("null"))},
                    {"metrics", parsed(run.text("metrics_json").value_or("null"))},
                    {"provenance", parsed(run.text("provenance_json").value_or("null"))}});
  }
  return list;
}

Json model_json(const CaptureInfo& info) {
  Json json{{"name", info.model_name},
            {"architecture", info.architecture},
            {"n_layers", info.shape.n_layers},
            {"n_heads", info.shape.n_heads},
            {"n_kv_heads", info.shape.n_kv_heads},
            {"head_dim", info.shape.head_dim},
            {"hidden_size", info.shape.hidden_size},
            {"vocab_size", info.shape.vocab_size},
            {"position_embedding", name_of(info.position_embedding)},
            {"rope_theta", info.rope_theta},
            {"weights_dtype", info.weights_dtype},
            {"sha256", info.model_sha256}};
  if (info.position_embedding != PositionEmbedding::rope) {
    json["keys_and_queries"] = "without RoPE, as projected";
    json.erase("rope_theta");
  }
  if (!info.alibi_slopes.empty()) json["alibi_slopes"] = info.alibi_slopes;
  if (!info.attention_windows.empty()) json["attention_windows"] = info.attention_windows;
  return json;
}

}  // namespace

Json capture_summary(const std::string& path, const Work& work) {
  const auto capture = open_capture(path, work);
  const CaptureInfo& info = capture->info();
  Json out{{"format", kCaptureFormat},
           {"format_version", kCaptureVersion},
           {"bytes", std::filesystem::file_size(path)},
           {"creator", info.creator},
           {"created_utc", info.created_utc},
           {"command_line", info.command_line},
           {"model", model_json(info)},
           {"layers", info.layers},
           {"n_tokens", info.n_tokens},
           {"n_prompt", info.n_prompt},
           {"prompt", head_of(info.prompt_text)},
           {"dtype", name_of(info.dtype)},
           {"attention", name_of(info.profile)},
           {"n_query_rows", info.n_query_rows()},
           {"has_queries", info.has_queries}};
  h5::thread().run([&] {
    const h5::File file(path, h5::Access::read);
    const h5::Attributes tokenizer(file, capture_path::kTokenizer);
    out["tokenizer"] = {{"kind", tokenizer.text("kind").value_or("")},
                        {"sha256", tokenizer.text("sha256").value_or("")},
                        {"special_ids", info.special_ids}};
    out["datasets"] = datasets_json(file);
    out["runs"] = runs_json(file);
    const h5::Attributes entry(file, capture_path::kEntry);
    out["provenance"] = parsed(entry.text("provenance_json").value_or("null"));
  });
  return out;
}

}  // namespace qaq
