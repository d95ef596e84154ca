#include "views/panels/model_field.h"

#include <QComboBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>

namespace qaq::views {

ModelField::ModelField(const QStringList& models, QWidget* parent)
    : QWidget(parent), m_name(new QComboBox) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  m_name->setEditable(true);
  m_name->addItems(models);
  m_name->setCurrentIndex(models.isEmpty() ? -1 : 0);
  m_name->lineEdit()->setPlaceholderText(tr("a known name, a GGUF file or a folder"));
  m_name->setAccessibleName(tr("Model"));
  m_name->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setFocusProxy(m_name);
  row->addWidget(m_name);
  connect(m_name, &QComboBox::editTextChanged, this, &ModelField::changed);
  const auto addButton = [&](const QString& name, auto choose) {
    auto* button = new QPushButton(name);
    row->addWidget(button);
    connect(button, &QPushButton::clicked, this, [this, choose] {
      const QString path = choose();
      if (!path.isEmpty()) setText(path);
    });
  };
  addButton(tr("File…"), [this] {
    return QFileDialog::getOpenFileName(this, tr("Model"), {},
                                        tr("Models (*.gguf *.safetensors);;All files (*)"));
  });
  addButton(tr("Folder…"),
            [this] { return QFileDialog::getExistingDirectory(this, tr("Model folder")); });
}

QString ModelField::text() const { return m_name->currentText().trimmed(); }

void ModelField::setText(const QString& text) { m_name->setEditText(text); }

}  // namespace qaq::views
