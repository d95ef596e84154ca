#include <array>
#include <cstdio>
#include <functional>
#include <map>

#include "app/cli/model_info.h"
#include "app/cli/printable.h"
#include "core/base/text.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

void print_section(const std::string& title) { std::printf("\n%s\n", title.c_str()); }

void print_line(const std::string& name, const std::string& text) {
  std::printf("  %-20s %s\n", name.c_str(), text.c_str());
}

// "134.5 million": three to four digits and the word for the power of ten.
std::string count_text(std::int64_t n) {
  static constexpr std::array kWords{"",         " thousand", " million",
                                     " billion", " trillion", " quadrillion"};
  auto value = static_cast<double>(n);
  std::size_t word = 0;
  while (value >= 999.95 && word + 1 < kWords.size()) {
    value /= 1000;
    ++word;
  }
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), word == 0 ? "%.0f%s" : "%.1f%s", value, kWords[word]);
  return text.data();
}

// Messages and paths are shown whole; names and values of a file are cut (printable.h).
constexpr std::size_t kWhole = 10'000;

std::string bytes_text(const Json& n) { return byte_text(n.get<std::int64_t>()); }
std::string plain_text(const Json& value) {
  if (value.is_number_float()) return number_text(value.get<double>());
  return printable(value.is_string() ? value.get<std::string>() : value.dump());
}

// "Q4_1 66.4 MB, Q8_0 30.1 MB, F32 140.5 kB", the largest first.
std::string types_text(const Json& bytes_by_type) {
  std::multimap<std::int64_t, std::string, std::greater<>> by_size;
  for (const auto& [type, bytes] : bytes_by_type.items()) by_size.emplace(bytes, type);
  std::string text;
  for (const auto& [bytes, type] : by_size) {
    text += cat(text.empty() ? "" : ", ", printable(type), " ", byte_text(bytes));
  }
  return text;
}

// The names of what is true, or `none`.
std::string names_text(const Json& flags) {
  std::string text;
  for (const auto& [name, is_there] : flags.items()) {
    if (is_there.get<bool>()) text += (text.empty() ? "" : ", ") + name;
  }
  return text.empty() ? "none" : text;
}

std::string rope_text(const Json& rope) {
  std::string text = rope["kind"].get<std::string>();
  for (const auto& [name, value] : rope.items()) {
    if (name == "kind") continue;
    text +=
        cat(", ", name, " ", value.is_array() ? cat(value.size(), " numbers") : plain_text(value));
  }
  return text;
}

std::string positions_text(const Json& info) {
  const auto positions = info["position_embedding"].get<std::string>();
  if (positions == "rope") return "RoPE " + rope_text(info["rope"]);
  if (positions == "learned") return "learned, added to the embedding: keys carry no rotation";
  if (positions == "alibi") {
    return cat("ALiBi, slopes ", plain_text(info["alibi_slopes"].front()), " to ",
               plain_text(info["alibi_slopes"].back()), ": keys carry no rotation");
  }
  return "none";
}

// "128 keys in 2 of 4 layers"; windows may differ by layer.
std::string windows_text(const Json& windows) {
  std::map<std::int64_t, std::int64_t> layers_of;
  for (const Json& window : windows) {
    if (window != 0) ++layers_of[window.get<std::int64_t>()];
  }
  std::string text;
  for (const auto& [window, n_layers] : layers_of) {
    text += cat(text.empty() ? "" : ", ", window, " keys in ", n_layers, " of ", windows.size(),
                " layers");
  }
  return text.empty() ? "none: a query sees all keys before it" : text;
}

void print_spec(const Json& info) {
  const Json& s = info["shape"];
  print_line("layers", s["n_layers"].dump());
  print_line("hidden size", s["hidden_size"].dump());
  print_line("feed-forward size", s["intermediate_size"].dump());
  print_line("vocabulary",
             cat(s["vocab_size"].dump(), " tokens, head ",
                 s["tied_embeddings"].get<bool>() ? "tied to the embedding" : "of its own"));
  print_line("context", s["context_length"].dump() + " tokens");
  print_section("attention");
  print_line("heads", cat(s["n_heads"].dump(), " of queries, ", s["n_kv_heads"].dump(),
                          " of keys and values, ", s["head_dim"].dump(), " channels each"));
  print_line("positions", positions_text(info));
  print_line("window", windows_text(info["attention_windows"]));
  print_section("layers");
  print_line("norm", info["norm"] == "rms" ? "RMSNorm" : "LayerNorm");
  print_line("activation", info["activation"].get<std::string>());
  print_line("other pieces", names_text(info["pieces"]));
}

void print_operations(const Json& info) {
  const std::string n_tokens = info["n_tokens"].dump();
  print_section("work (operations a token; a multiplication and an addition are two)");
  std::printf("  %-20s %14s %14s %14s %14s\n", "", "attention", "feed-forward", "head", "total");
  for (const auto& [phase, name] : {std::pair{"prefill", "prefill of " + n_tokens},
                                    std::pair{"decode", "decode at " + n_tokens}}) {
    const Json& operations = info["operations_per_token"][phase];
    std::printf("  %-20s", name.c_str());
    for (const auto& [part, n] : operations.items()) {
      std::printf(" %14s", count_text(n.get<std::int64_t>()).c_str());
    }
    std::printf("\n");
  }
}

void print_sizes(const Json& info) {
  print_section("KV cache");
  for (const auto& [dtype, bytes] : info["cache_bytes"].items()) {
    print_line(dtype, cat(bytes_text(bytes["token"]), " a token, ", bytes_text(bytes["context"]),
                          " at the full context"));
  }
  print_section(cat("capture of ", info["n_tokens"].dump(), " tokens, by --attention"));
  for (const auto& [profile, bytes] : info["capture_bytes"].items()) {
    print_line(profile, bytes_text(bytes));
  }
}

void print_tensors(const Json& tensors) {
  print_section(cat("tensors (", tensors.size(), ")"));
  for (const Json& tensor : tensors) {
    std::printf("  %-42s %-6s %-16s %10s\n", plain_text(tensor["name"]).c_str(),
                plain_text(tensor["type"]).c_str(), tensor["shape"].dump().c_str(),
                bytes_text(tensor["bytes"]).c_str());
  }
}

}  // namespace

void print_model(const std::string& path, const Json& info) {
  const bool runs = info.contains("shape");
  std::printf("%s\n", printable(path, kWhole).c_str());
  print_section("model");
  if (runs) {
    print_line("name", plain_text(info["name"]));
    print_line("architecture", plain_text(info["architecture"]));
  } else {
    print_line("cannot be run", printable(info["refusal"].get<std::string>(), kWhole));
  }
  print_line("format", plain_text(info["format"]));
  print_line("size", cat(bytes_text(info["bytes"]), ", ",
                         count_text(info["parameters"].get<std::int64_t>()), " parameters"));
  print_line("weights", types_text(info["bytes_by_type"]));
  const std::string tokenizer = plain_text(info["tokenizer"]);
  print_line("tokenizer", tokenizer.empty() ? "none in the model's files" : tokenizer);
  if (runs) {
    print_spec(info);
    print_operations(info);
    print_sizes(info);
  }
  print_section("metadata");
  for (const auto& [key, value] : info["metadata"].items()) {
    std::printf("  %-42s %s\n", printable(key).c_str(), plain_text(value).c_str());
  }
  print_tensors(info["tensors"]);
}

}  // namespace qaq::cli
