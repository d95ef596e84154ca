#include "data/tokenizers/tokenizer.h"

#include <filesystem>

#include "core/base/error.h"
#include "data/models/file_kind.h"
#include "data/models/gguf_parts.h"
#include "data/models/mapped_file.h"
#include "data/models/model_file.h"
#include "data/tokenizers/json_tokenizer.h"
#include "data/tokenizers/sentence_piece_tokenizer.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const Tokenizer> read_folder(const std::string& folder) {
  if (fs::exists(fs::path(folder) / "tokenizer.json")) return read_json_tokenizer(folder);
  if (fs::exists(fs::path(folder) / "tokenizer.model")) {
    return read_sentence_piece_tokenizer(folder);
  }
  refuse_input({.file = folder,
                .what = "the folder holds neither tokenizer.json nor tokenizer.model",
                .cure = "download the model's tokenizer into it, or give a GGUF file"});
}

// Whether a file looks like one of those in a model's folder: safetensors, JSON, or a SentencePiece
// model, which begins with a field of bytes.
bool is_part_of_folder(const std::string& path) {
  const MappedFile file(path);
  if (file.bytes().empty()) return false;
  const auto first = static_cast<char>(file.bytes()[0]);
  return kind_of_file(file.bytes()) == FileKind::safetensors || first == '{' || first == '\n';
}

}  // namespace

bool begins_with_beginning(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  const auto beginning = tokenizer.beginning_id();
  return beginning && !ids.empty() && ids.front() == *beginning;
}

std::shared_ptr<const Tokenizer> make_tokenizer(const ModelFile& model) {
  return model.gguf() ? make_tokenizer(*model.gguf()) : read_folder(model.folder());
}

std::shared_ptr<const Tokenizer> open_tokenizer(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return read_folder(path);
  if (!is_part_of_folder(path)) return make_tokenizer(GgufParts(path).first());
  const std::string folder = fs::path(path).parent_path().string();
  return read_folder(folder.empty() ? "." : folder);
}

}  // namespace qaq
