#include "data/capture/column_file.h"

#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/h5_thread.h"
#include "data/files/partial_file.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

void write_values(const h5::File& file, const std::string& path,
                  const std::vector<std::string>& values) {
  h5::write_texts(file, path, values);
}

template <class T>
void write_values(const h5::File& file, const std::string& path, const std::vector<T>& values) {
  h5::write_array<T>(file, path, {values.size()}, values);
}

void write_column(const h5::File& file, const FileColumn& column) {
  const std::string path = cat("/", column.name);
  std::visit([&](const auto& values) { write_values(file, path, values); }, column.values);
  const h5::Attributes attributes(file, path);
  if (!column.unit.empty()) attributes.set("units", column.unit);
  if (!column.choices.empty()) attributes.set("choices", column.choices);
}

}  // namespace

void write_columns(const std::string& path, const std::string& format,
                   const std::vector<FileColumn>& columns, const Json& head) {
  std::vector<std::string> names;
  for (const FileColumn& column : columns) names.push_back(column.name);
  const std::string name = PartialFile::name_for_writing(path);
  PartialFile partial(path);
  h5::thread().run([&] {
    h5::File file(name, h5::Access::create);
    const h5::Attributes root(file, "/");
    root.set("format", format);
    root.set("format_version", std::int64_t{1});
    root.set("columns", names);
    for (const auto& [key, value] : head.items()) {
      if (value.is_string()) root.set(key, value.get<std::string>());
      if (value.is_number_integer()) root.set(key, value.get<std::int64_t>());
    }
    root.set("head_json", head.dump(-1, ' ', false, Json::error_handler_t::replace));
    for (const FileColumn& column : columns) write_column(file, column);
    file.close();
  });
  partial.rename();
}

std::vector<std::string> read_text_column(const std::string& path, const std::string& format,
                                          const std::string& name) {
  return h5::thread().run([&] {
    const h5::File file(path, h5::Access::read);
    if (h5::Attributes(file, "/").text("format") != format) {
      file.refuse("/@format", cat("is not ", format), "name another file");
    }
    return h5::read_texts(file, cat("/", name));
  });
}

}  // namespace qaq
