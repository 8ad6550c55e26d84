from django import forms
from django.contrib import admin

from .models import Author, Book, Loan, Review, Shelf


class ReviewInline(admin.StackedInline):
    model = Review
    exclude = ["stars"]
    extra = 0


class BookAdmin(admin.ModelAdmin):
    fieldsets = [
        (None, {"fields": [("isbn", "title"), "author"]}),
        ("Where", {"fields": ["shelf", "is_lent", "stock"]}),
    ]
    readonly_fields = ["stock"]
    inlines = [ReviewInline]

    def save_model(self, request, obj, form, change):
        obj.secret = obj.secret + 1
        super().save_model(request, obj, form, change)


class ShelfForm(forms.ModelForm):
    class Meta:
        model = Shelf
        exclude = ["places"]


@admin.register(Shelf)
class ShelfAdmin(admin.ModelAdmin):
    form = ShelfForm

    def get_queryset(self, request):
        return super().get_queryset(request).filter(places__gte=0)


admin.site.register(Book, BookAdmin)
admin.site.register([Author, Loan])
