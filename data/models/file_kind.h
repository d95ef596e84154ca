#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace qaq {

/// What a file is by its first bytes, whatever its name says.
enum class FileKind {
  gguf,
  safetensors,  ///< a length of 8 bytes and a JSON object
  pytorch,      ///< a zip archive or a pickle, as torch.save writes them
  hdf5,         ///< what captures come in
  unknown,
};

FileKind kind_of_file(std::span<const std::byte> bytes);

/// Throws Error{input} about a file that is neither GGUF nor safetensors, saying what it seems to
/// be and how to get a model from it.
[[noreturn]] void refuse_as_model(std::span<const std::byte> bytes, const std::string& file);

/// How PyTorch weights, which may run code when they are read, become safetensors.
std::string pytorch_cure();

}  // namespace qaq
