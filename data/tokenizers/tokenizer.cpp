#include "data/tokenizers/tokenizer.h"

#include <filesystem>
#include <fstream>

#include "core/base/error.h"
#include "data/models/gguf_file.h"
#include "data/models/model_file.h"
#include "data/tokenizers/json_tokenizer.h"
#include "data/tokenizers/sentence_piece_tokenizer.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const Tokenizer> read_folder(const std::string& folder) {
  if (fs::exists(folder + "/tokenizer.json")) return read_json_tokenizer(folder);
  if (fs::exists(folder + "/tokenizer.model")) return read_sentence_piece_tokenizer(folder);
  refuse_input({.file = folder,
                .what = "the folder holds neither tokenizer.json nor tokenizer.model",
                .cure = "download the model's tokenizer into it, or give a GGUF file"});
}

// Whether a file looks like one of those in a model's folder: JSON, safetensors (a length of 8
// bytes, then JSON) or a SentencePiece model (which begins with a field of bytes).
bool is_part_of_folder(const std::string& path) {
  std::string head(9, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head.starts_with('{') || head.starts_with('\n') || (head.size() == 9 && head[8] == '{');
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
  if (fs::is_directory(path)) return read_folder(path);
  if (!is_part_of_folder(path)) return make_tokenizer(GgufFile(path));
  const std::string folder = fs::path(path).parent_path().string();
  return read_folder(folder.empty() ? "." : folder);
}

}  // namespace qaq
