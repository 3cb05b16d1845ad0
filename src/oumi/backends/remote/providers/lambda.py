"""Lambda. https://docs.lambda.ai/public-cloud/lambda-inference-api"""

from oumi.backends import settings
from oumi.backends.provider import Provider

PROVIDER = Provider(
    name="LAMBDA",
    class_name="LambdaInferenceEngine",
    summary="the Lambda API",
    supports=settings.CHAT,
    url="https://api.lambda.ai/v1",
    url_env="LAMBDA_BASE_URL",
    key_env=("LAMBDA_API_KEY",),
)
