#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/inputs.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/capture/capture_summary.h"
#include "data/models/gguf_file.h"
#include "data/models/model_store.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

// Told by content, never by name: the first bytes of an HDF5 file are fixed.
bool is_hdf5(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char signature[8] = {};
  file.read(signature, sizeof signature);
  return file.gcount() == 8 && std::string_view(signature, 8) == "\x89HDF\r\n\x1a\n";
}

bool named_like_capture(const std::string& path) {
  return path.ends_with(".h5") || path.ends_with(".hdf5") || path.ends_with(".h5.partial");
}

Json model_json(const GgufFile& file) {
  Json metadata = Json::object();
  for (const GgufEntry& entry : file.metadata().entries()) {
    metadata[entry.key] = display_text(entry.value);
  }
  Json tensors = Json::array();
  std::map<std::string, std::int64_t> bytes_by_type;
  std::int64_t n_parameters = 0;
  for (const GgufTensor& tensor : file.tensors()) {
    Json shape = Json::array();
    // ggml lists the fastest extent first; a shape is read row-major everywhere else.
    for (std::uint32_t axis = tensor.n_dims; axis-- > 0;) shape.push_back(tensor.extents[axis]);
    const auto n_bytes = static_cast<std::int64_t>(tensor.bytes.size());
    tensors.push_back(
        {{"name", tensor.name}, {"type", tensor.type->name}, {"shape", shape}, {"bytes", n_bytes}});
    bytes_by_type[std::string(tensor.type->name)] += n_bytes;
    n_parameters += tensor.n_elements();
  }
  return {{"kind", "model"},
          {"format", cat("gguf version ", file.version())},
          {"bytes", file.n_bytes()},
          {"parameters", n_parameters},
          {"bytes_by_type", bytes_by_type},
          {"metadata", metadata},
          {"tensors", tensors}};
}

void print_value(const std::string& name, const Json& value) {
  std::printf("  %-42s %s\n", name.c_str(),
              value.is_string() ? value.get<std::string>().c_str() : value.dump().c_str());
}

void print_model(const std::string& path, const Json& info) {
  std::printf(
      "%s: model, %s, %s, %s parameters\n", path.c_str(), info["format"].get<std::string>().c_str(),
      byte_text(info["bytes"].get<std::int64_t>()).c_str(), info["parameters"].dump().c_str());
  std::printf("metadata\n");
  for (const auto& [key, value] : info["metadata"].items()) print_value(key, value);
  std::printf("tensors (%zu)\n", info["tensors"].size());
  for (const Json& tensor : info["tensors"]) {
    std::printf("  %-42s %-6s %-16s %12s\n", tensor["name"].get<std::string>().c_str(),
                tensor["type"].get<std::string>().c_str(), tensor["shape"].dump().c_str(),
                byte_text(tensor["bytes"].get<std::int64_t>()).c_str());
  }
  std::printf("bytes by type\n");
  for (const auto& [type, bytes] : info["bytes_by_type"].items()) {
    print_value(type, byte_text(bytes.get<std::int64_t>()));
  }
}

// One object on one line: its first member, then its other plain members in a row.
void print_item(const Json& item, int depth) {
  std::string rest;
  for (auto member = item.begin(); member != item.end(); ++member) {
    if (member == item.begin() || member->is_object()) continue;  // objects: with --json
    const bool bytes = member.key() == "bytes" && member->is_number();
    const std::string text = bytes                 ? byte_text(member->get<std::int64_t>())
                             : member->is_string() ? member->get<std::string>()
                                                   : member->dump();
    rest += (rest.empty() ? "" : "  ") + text;
  }
  const std::string name =
      item.front().is_string() ? item.front().get<std::string>() : item.front().dump();
  print_value(std::string(static_cast<std::size_t>(2 * depth), ' ') + name, rest);
}

// Nested objects are indented; lists of objects get a line each.
void print_tree(const Json& json, int depth) {
  for (const auto& [key, value] : json.items()) {
    const std::string name = std::string(static_cast<std::size_t>(2 * depth), ' ') + key;
    if (value.is_object()) {
      std::printf("  %s\n", name.c_str());
      print_tree(value, depth + 1);
    } else if (value.is_array() && !value.empty() && value.front().is_object()) {
      std::printf("  %s\n", name.c_str());
      for (const Json& item : value) print_item(item, depth + 1);
    } else {
      print_value(name, value);
    }
  }
}

void run(const std::string& name, const CommonOptions& common) {
  const std::string path = ModelStore().resolve(name);
  Json info;
  if (is_hdf5(path) || named_like_capture(path)) {
    info = capture_summary(path);
    if (!common.json) {
      std::printf("%s\n", path.c_str());
      print_tree(info, 0);
    }
  } else {
    info = model_json(GgufFile(path));
    if (!common.json) print_model(path, info);
  }
  if (common.json) {
    Json document{{"file", path}};
    document.update(info);
    print_json(document);
  }
}

}  // namespace

void add_info(CLI::App& program, const CommonOptions& common) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand(
      "info", "Shapes, sizes and provenance of a capture, or metadata and tensors of a model");
  command->add_option("file", *file, "A capture, a model file or a known model's name")->required();
  command->footer("Examples:\n  qaq info smollm2-135m\n  qaq info story.h5 --json");
  command->callback([file, &common] { run(*file, common); });
}

}  // namespace qaq::cli
