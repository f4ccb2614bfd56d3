"""What visitors may send."""

from django import forms


class SignForm(forms.Form):
    name = forms.CharField(max_length=40)


class UploadForm(forms.Form):
    file = forms.FileField()
