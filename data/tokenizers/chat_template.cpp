#include "data/tokenizers/chat_template.h"

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The first text in `source` between `before` and `after` that holds none of Jinja's quotes and
// braces: a piece of a string literal.
std::string literal_between(std::string_view source, std::string_view before,
                            std::string_view after) {
  for (std::size_t at = source.find(before); at != std::string_view::npos;
       at = source.find(before, at + 1)) {
    const std::size_t begin = at + before.size();
    const std::size_t end = source.find(after, begin);
    if (end == std::string_view::npos) return {};
    const std::string_view found = source.substr(begin, end - begin);
    if (!found.empty() && found.find_first_of("'\"{}") == std::string_view::npos) {
      return std::string(found);
    }
  }
  return {};
}

std::string default_system_of(std::string_view source) {
  // A line end in a Jinja string is written \n or as it is.
  for (const std::string_view line_end : {"\\n", "\n"}) {
    const std::string found =
        literal_between(source, cat("<|im_start|>system", line_end), "<|im_end|>");
    if (!found.empty()) return found;
  }
  return {};
}

std::string preamble_of(std::string_view source) {
  if (!contains(source, "Cutting Knowledge Date")) return {};
  const std::string knowledge = literal_between(source, "Cutting Knowledge Date: ", "\\n");
  // The template's own date and not today's: the same chat gives the same tokens on every day.
  const std::string today = literal_between(source, "date_string = \"", "\"");
  return cat("Cutting Knowledge Date: ", knowledge, "\nToday Date: ", today, "\n\n");
}

// What Jinja's trim and Python's strip take away, as far as ASCII goes.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n\r\v\f\x1c\x1d\x1e\x1f";
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

std::string chatml(const ChatTemplate& chat, const std::vector<ChatMessage>& messages,
                   bool add_generation_prompt) {
  std::string out;
  const auto add = [&](std::string_view role, std::string_view content) {
    out += cat("<|im_start|>", role, "\n", content, "<|im_end|>\n");
  };
  if (!chat.default_system.empty() && messages.front().role != "system") {
    add("system", chat.default_system);
  }
  for (const ChatMessage& message : messages) add(message.role, message.content);
  if (add_generation_prompt) out += "<|im_start|>assistant\n";
  return out;
}

std::string llama3(const ChatTemplate& chat, const std::vector<ChatMessage>& messages,
                   bool add_generation_prompt) {
  std::string out = chat.beginning;
  const auto add = [&](std::string_view role, std::string_view before, std::string_view content) {
    out += cat("<|start_header_id|>", role, "<|end_header_id|>\n\n", before, trimmed(content),
               "<|eot_id|>");
  };
  const bool begins_with_system = messages.front().role == "system";
  if (!chat.preamble.empty() && !begins_with_system) add("system", chat.preamble, "");
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const bool system = i == 0 && begins_with_system;
    add(messages[i].role, system ? chat.preamble : "", messages[i].content);
  }
  if (add_generation_prompt) out += "<|start_header_id|>assistant<|end_header_id|>\n\n";
  return out;
}

// The assistant's turn is open after [/INST], whatever was asked for.
std::string llama2(const ChatTemplate& chat, const std::vector<ChatMessage>& messages) {
  const bool has_system = messages.front().role == "system";
  const std::size_t first = has_system ? 1 : 0;
  std::string out;
  for (std::size_t i = first; i < messages.size(); ++i) {
    const bool user = (i - first) % 2 == 0;
    if (messages[i].role != (user ? "user" : "assistant")) {
      refuse_input({.place = cat("message ", i),
                    .what = cat("has the role ", messages[i].role, ", but a LLaMA-2 chat goes ",
                                "user, assistant, user and so on"),
                    .cure = "join the messages of one speaker"});
    }
    if (!user) {
      out += cat(" ", trimmed(messages[i].content), " ", chat.end);
      continue;
    }
    std::string content = messages[i].content;
    if (i == first && has_system) {
      content = cat("<<SYS>>\n", messages[0].content, "\n<</SYS>>\n\n", content);
    }
    out += cat(chat.beginning, "[INST] ", trimmed(content), " [/INST]");
  }
  return out;
}

}  // namespace

ChatTemplate recognise_chat_template(std::string_view text, std::string_view beginning,
                                     std::string_view end) {
  ChatTemplate chat;
  if (contains(text, "<|im_start|>")) {
    chat.format = ChatFormat::chatml;
    chat.default_system = default_system_of(text);
  } else if (contains(text, "<|start_header_id|>") && contains(text, "<|eot_id|>")) {
    chat.format = ChatFormat::llama3;
    chat.preamble = preamble_of(text);
    if (contains(text, "bos_token")) chat.beginning = beginning;
  } else if (contains(text, "[INST]") && contains(text, "<<SYS>>")) {
    chat.format = ChatFormat::llama2;
    if (contains(text, "bos_token")) chat.beginning = beginning;
    if (contains(text, "eos_token")) chat.end = end;
  } else {
    refuse_input({.what = "the model's chat template is of no known format",
                  .cure = "known are ChatML, LLaMA-2 and LLaMA-3; for another one write the prompt "
                          "out, special tokens and all, and give it without --chat"});
  }
  return chat;
}

std::string render_chat(const ChatTemplate& chat, const std::vector<ChatMessage>& messages,
                        bool add_generation_prompt) {
  if (messages.empty()) {
    refuse_input({.what = "the chat has no message", .cure = "give at least one"});
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string& role = messages[i].role;
    if (role == "system" || role == "user" || role == "assistant") continue;
    refuse_input({.place = cat("message ", i),
                  .what = cat("the role '", role, "' is unknown"),
                  .cure = "use system, user or assistant"});
  }
  switch (chat.format) {
    case ChatFormat::chatml:
      return chatml(chat, messages, add_generation_prompt);
    case ChatFormat::llama3:
      return llama3(chat, messages, add_generation_prompt);
    case ChatFormat::llama2:
      return llama2(chat, messages);
  }
  return {};
}

}  // namespace qaq
