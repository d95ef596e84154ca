#include "tests/support/gguf_builder.h"

#include <cstring>
#include <fstream>
#include <stdexcept>

namespace qaq::test {
namespace {

constexpr std::size_t kAlignment = 32;

template <class T>
void put(std::string& out, T number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_string(std::string& out, const std::string& text) {
  put(out, std::uint64_t{text.size()});
  out += text;
}

// Types of values as GGUF numbers them.
void put_value(std::string& out, std::uint32_t value) {
  put(out, std::uint32_t{4});
  put(out, value);
}
void put_value(std::string& out, float value) {
  put(out, std::uint32_t{6});
  put(out, value);
}
void put_value(std::string& out, bool value) {
  put(out, std::uint32_t{7});
  put(out, static_cast<std::uint8_t>(value));
}
void put_value(std::string& out, const std::string& value) {
  put(out, std::uint32_t{8});
  put_string(out, value);
}
void put_value(std::string& out, const std::vector<std::string>& values) {
  put(out, std::uint32_t{9});
  put(out, std::uint32_t{8});
  put(out, std::uint64_t{values.size()});
  for (const std::string& value : values) put_string(out, value);
}
void put_value(std::string& out, const std::vector<std::int32_t>& values) {
  put(out, std::uint32_t{9});
  put(out, std::uint32_t{5});
  put(out, std::uint64_t{values.size()});
  for (const std::int32_t value : values) put(out, value);
}

void pad(std::string& out, std::size_t alignment) {
  out.resize((out.size() + alignment - 1) / alignment * alignment);
}

}  // namespace

GgufBuilder GgufBuilder::tiny_llama() {
  GgufBuilder builder;
  builder.set("general.architecture", std::string("llama"))
      .set("llama.block_count", 2u)
      .set("llama.context_length", 128u)
      .set("llama.embedding_length", 24u)
      .set("llama.feed_forward_length", 40u)
      .set("llama.attention.head_count", 4u)
      .set("llama.attention.head_count_kv", 2u)
      .set("llama.attention.layer_norm_rms_epsilon", 1e-6f)
      .set("tokenizer.ggml.model", std::string("gpt2"))
      .set("tokenizer.ggml.pre", std::string("gpt-2"))
      .set("tokenizer.ggml.tokens",
           std::vector<std::string>{"<|endoftext|>", "<|im_end|>", "a", "b", "c", "ab", "abc",
                                    "\xc4\xa0", "word"})
      .set("tokenizer.ggml.token_type", std::vector<std::int32_t>{3, 3, 1, 1, 1, 1, 1, 1, 4})
      .set("tokenizer.ggml.merges", std::vector<std::string>{"a b", "ab c"});
  builder.tensor("token_embd.weight", {24, 9}).tensor("output_norm.weight", {24});
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    builder.tensor(layer + "attn_norm.weight", {24})
        .tensor(layer + "attn_q.weight", {24, 24})
        .tensor(layer + "attn_k.weight", {24, 12})
        .tensor(layer + "attn_v.weight", {24, 12})
        .tensor(layer + "attn_output.weight", {24, 24})
        .tensor(layer + "ffn_norm.weight", {24})
        .tensor(layer + "ffn_gate.weight", {24, 40})
        .tensor(layer + "ffn_up.weight", {24, 40})
        .tensor(layer + "ffn_down.weight", {40, 24});
  }
  return builder;
}

GgufBuilder& GgufBuilder::set(const std::string& key, Value value) {
  metadata_[key] = std::move(value);
  return *this;
}

GgufBuilder& GgufBuilder::erase(const std::string& key) {
  if (metadata_.erase(key) == 0) throw std::logic_error("no key " + key);
  return *this;
}

GgufBuilder& GgufBuilder::tensor(const std::string& name, std::vector<std::uint64_t> extents) {
  tensors_[name] = std::move(extents);
  return *this;
}

GgufBuilder& GgufBuilder::erase_tensor(const std::string& name) {
  if (tensors_.erase(name) == 0) throw std::logic_error("no tensor " + name);
  return *this;
}

void GgufBuilder::write(const std::filesystem::path& path) const {
  const auto aligned = metadata_.find("general.alignment");
  const std::size_t alignment =
      aligned == metadata_.end() ? kAlignment : std::get<std::uint32_t>(aligned->second);
  std::string head = "GGUF", data;
  put(head, std::uint32_t{3});
  put(head, std::uint64_t{tensors_.size()});
  put(head, std::uint64_t{metadata_.size()});
  for (const auto& [key, value] : metadata_) {
    put_string(head, key);
    std::visit([&](const auto& held) { put_value(head, held); }, value);
  }
  for (const auto& [name, extents] : tensors_) {
    put_string(head, name);
    put(head, static_cast<std::uint32_t>(extents.size()));
    std::uint64_t n = 1;
    for (const std::uint64_t extent : extents) {
      put(head, extent);
      n *= extent;
    }
    put(head, std::uint32_t{0});  // F32
    put(head, std::uint64_t{data.size()});
    for (std::uint64_t i = 0; i < n; ++i) put(data, static_cast<float>(i) / 8);
    pad(data, alignment);
  }
  pad(head, alignment);
  std::ofstream out(path, std::ios::binary);
  out << head << data;
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace qaq::test
