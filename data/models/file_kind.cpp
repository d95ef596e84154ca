#include "data/models/file_kind.h"

#include <algorithm>
#include <string_view>

#include "core/base/error.h"

namespace qaq {
namespace {

std::string_view head_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 64)};
}

struct Diagnosis {
  std::string what;
  std::string cure;
};

Diagnosis diagnosis_of(std::span<const std::byte> bytes) {
  const std::string_view head = head_of(bytes);
  if (head.empty()) return {"the file is empty", "get it again"};
  if (head.starts_with("version https://git-lfs")) {
    return {"a Git LFS pointer, not a model file", "run git lfs pull to get the model itself"};
  }
  if (head.starts_with("<")) {
    return {"a web page (HTML), not a model file",
            "the download needs a sign-in or another address"};
  }
  if (std::string_view("GGUF").starts_with(head)) {
    return {"the file ends inside the magic number", "it is truncated; get it again"};
  }
  if (head.starts_with("FUGG")) return {"the file is big-endian", "convert it to little-endian"};
  switch (kind_of_file(bytes)) {
    case FileKind::pytorch:
      return {"PyTorch weights (zip or pickle), which are not read", pytorch_cure()};
    case FileKind::hdf5:
      return {"an HDF5 file, as captures are, not a model",
              "give the model that the capture was made with; qaq info reads captures"};
    case FileKind::gguf:
      return {"a GGUF file, and a safetensors file is needed here", "give the GGUF file itself"};
    case FileKind::safetensors:
      return {"a safetensors file, and a GGUF file is needed here", "give a GGUF file"};
    case FileKind::unknown:
      break;
  }
  return {"the magic number is wrong: not a GGUF file, and no safetensors header either",
          "give a GGUF file or a Hugging Face folder"};
}

}  // namespace

FileKind kind_of_file(std::span<const std::byte> bytes) {
  const std::string_view head = head_of(bytes);
  if (head.starts_with("GGUF")) return FileKind::gguf;
  if (head.starts_with("\x89HDF\r\n\x1a\n")) return FileKind::hdf5;
  // A pickle begins with its protocol, 2 to 5.
  const bool pickle = head.size() > 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5;
  if (head.starts_with("PK\x03\x04") || pickle) return FileKind::pytorch;
  if (head.size() > 8 && head[8] == '{') return FileKind::safetensors;
  return FileKind::unknown;
}

std::string pytorch_cure() {
  return "convert it to safetensors where you trust its origin: python3 -c \"from transformers "
         "import AutoModelForCausalLM as M; M.from_pretrained('FOLDER').save_pretrained('NEW')\", "
         "and copy the tokenizer's files to NEW";
}

void refuse_as_model(std::span<const std::byte> bytes, const std::string& file) {
  const auto [what, cure] = diagnosis_of(bytes);
  refuse_input({.file = file, .place = "byte 0", .what = what, .cure = cure});
}

}  // namespace qaq
