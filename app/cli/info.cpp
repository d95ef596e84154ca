#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/model_info.h"
#include "app/cli/printable.h"
#include "core/base/text.h"
#include "data/capture/capture_summary.h"
#include "data/models/model_listing.h"
#include "data/models/model_store.h"
#include "data/packed/packed_file.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

struct InfoOptions {
  std::string file;
  std::int64_t n_tokens = 512;
};

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

bool named_like_packed(const std::string& path) {
  return path.ends_with(".qkv") || path.ends_with(".qkv.partial");
}

void print_value(const std::string& name, const Json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  std::printf("  %-42s %s\n", printable(name).c_str(), printable(text).c_str());
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
      std::printf("  %s\n", printable(name).c_str());
      print_tree(value, depth + 1);
    } else if (value.is_array() && !value.empty() && value.front().is_object()) {
      std::printf("  %s\n", printable(name).c_str());
      for (const Json& item : value) print_item(item, depth + 1);
    } else {
      print_value(name, value);
    }
  }
}

void run(const InfoOptions& options, const CommonOptions& common) {
  const std::string path = ModelStore().resolve(options.file);
  Json info;
  const bool capture = is_hdf5(path) || named_like_capture(path);
  if (capture || is_packed_file(path) || named_like_packed(path)) {
    info = capture ? capture_summary(path) : packed_summary(path);
    if (!common.json) {
      std::printf("%s\n", path.c_str());
      print_tree(info, 0);
    }
  } else {
    info = model_json(list_model(path), options.n_tokens);
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
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = program.add_subcommand(
      "info",
      "Shapes, sizes and costs of a model; shapes, sizes and provenance of a capture or of "
      "packed caches");
  command
      ->add_option("file", options->file,
                   "A capture, packed caches (.qkv), a model's file or folder, or a known model")
      ->required();
  command
      ->add_option("--tokens", options->n_tokens,
                   "Of a model: the length of the text whose costs are told")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  qaq info smollm2-135m --tokens 2000\n"
      "  qaq info llama-folder --json\n"
      "  qaq info story.h5\n"
      "  qaq info story.qkv");
  command->callback([options, &common] { run(*options, common); });
}

}  // namespace qaq::cli
